"""What the map of the house is made of: doors, and the dialects that bring their own."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

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
