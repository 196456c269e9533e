"""Answers of the storefront: JSON under the type its clients ask for, which no cache may keep."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from authsrv.web.responses import NO_STORE

JSON = "application/json"
# https://jsonapi.org/format/1.1/#introduction
JSON_API = "application/vnd.api+json"


def answer(
    body: Any,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    media_type: str = JSON_API,
) -> Response:
    """A JSON answer that nobody may store."""
    return Response(orjson.dumps(body), status, {**(headers or {}), **NO_STORE}, media_type)


def nothing() -> Response:
    """Done, and there is nothing to say (RFC 9110, 15.3.5)."""
    return Response(status_code=204, headers=NO_STORE)
