"""Answers as JSON, with the headers that keep credentials out of caches."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class JsonResponse(Response):
    """A JSON answer."""

    media_type = "application/json"

    def __init__(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(orjson.dumps(body), status, headers)


def protocol_response(status: int, body: Any, headers: Sequence[tuple[str, str]]) -> Response:
    """What the engine answered, never to be stored (RFC 6749, 5.1)."""
    kept = {name: value for name, value in headers if name.lower() not in {"content-type", "cache-control", "pragma"}}
    return JsonResponse(body, status, {**kept, **NO_STORE})
