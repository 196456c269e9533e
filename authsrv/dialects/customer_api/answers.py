"""Answers of the Customer API: JSON, compressed for whoever asks for gzip (RFC 9110, 8.4.1.3 and 12.5.3)."""

import gzip
from collections.abc import Iterable
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from authsrv.web.responses import NO_STORE

# RFC 9110, 8.4.1.3: both are one.
_NAMES = frozenset({"gzip", "x-gzip"})


class CompressedJson(Response):
    """Plain only for a request that does not ask for gzip, which hears nothing but an error."""

    media_type = "application/json; charset=utf-8"

    def __init__(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(orjson.dumps(body), status, {**(headers or {}), **NO_STORE, "Vary": "Accept-Encoding"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if asks_for_gzip(Headers(scope=scope).getlist("accept-encoding")):
            # Without a time in it, the same body is the same bytes.
            self.body = gzip.compress(self.body, compresslevel=6, mtime=0)
            self.headers["Content-Encoding"] = "gzip"
            self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def asks_for_gzip(values: Iterable[str]) -> bool:
    """Whether Accept-Encoding names gzip, and not with a weight of 0, which means no."""
    for part in ",".join(values).split(","):
        coding, _, weight = part.partition(";")
        if coding.strip().lower() in _NAMES:
            return _is_wanted(weight)
    return False


def _is_wanted(weight: str) -> bool:
    name, _, number = weight.strip().lower().partition("=")
    if not name:
        return True
    try:
        return name == "q" and 0 < float(number) <= 1
    except ValueError:
        return False
