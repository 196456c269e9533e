"""What the map of the house is made of: doors, and the dialects that bring their own."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from authsrv.web.voices import Voice

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """A path and its handler for each method; `metadata` is the name the metadata shows it under (RFC 8414, 2)."""

    path: str
    handlers: Mapping[str, Handler]
    metadata: str | None = None
    # Whether scripts of any origin may call it, without credentials of the browser.
    cors: bool = False
    # What they may send besides the headers that all paths take.
    cors_headers: tuple[str, ...] = ()
    # Whether it stands on the hosts of stores too, not on the issuer's alone.
    at_stores: bool = False
    # What it takes where that is more than the server's own limit: one that files are sent to.
    largest_body: int | None = None


class Dialect(Protocol):
    """What a folder of `dialects/` brings: its doors, and how errors are worded below which of its paths."""

    DOORS: tuple[Door, ...]
    VOICES: tuple[tuple[str, Voice], ...]


class Doorkeeper:
    """The handlers of one path as an ASGI app.

    Starlette would wrap each handler in functions that look for errors to handle; here the gate words them all.
    """

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = {**handlers, "HEAD": handlers["GET"]} if "GET" in handlers else dict(handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._handlers[scope["method"]](WholeRequest(scope, receive, send))
        await response(scope, receive, send)


class WholeRequest(Request):
    """A request whose body is wanted as a whole or not at all: Starlette gathers it through two generators."""

    _whole: bytes | None = None

    async def body(self) -> bytes:
        """The body, however often it is asked for. Raises ClientDisconnect when its sender left."""
        if self._whole is None:
            chunks, is_over = [], False
            while not is_over:
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunks.append(message.get("body", b""))
                is_over = not message.get("more_body", False)
            self._whole = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return self._whole
