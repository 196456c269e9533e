"""Answers as JSON, with the headers that keep credentials out of caches."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_NO_STORE_RAW = ((b"cache-control", b"no-store"), (b"pragma", b"no-cache"))
_JSON = (b"content-type", b"application/json")
# As the engine spells them, so that they need not be looked at letter by letter.
_IMPLIED = frozenset({"Content-Type", "Cache-Control", "Pragma"})


class JsonResponse(Response):
    """A JSON answer."""

    media_type = "application/json"

    def __init__(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        if headers is not NO_STORE:
            super().__init__(orjson.dumps(body), status, headers)
            return
        # What tokens are answered with, and most else: nothing in it is left to find out.
        self.status_code = status
        self.background = None
        self.body = orjson.dumps(body)
        self.raw_headers = [*_NO_STORE_RAW, (b"content-length", b"%d" % len(self.body)), _JSON]


def protocol_response(status: int, body: Any, headers: Sequence[tuple[str, str]]) -> Response:
    """What the engine answered, never to be stored (RFC 6749, 5.1)."""
    kept = {name: value for name, value in headers if name not in _IMPLIED}
    return JsonResponse(body, status, {**kept, **NO_STORE} if kept else NO_STORE)
