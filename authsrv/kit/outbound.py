"""Requests to URLs that other people chose: never to an inner address, never for long, never for much.

A name is looked up once, every address it has is judged, and the connection goes to one that was judged: no second
look-up could answer otherwise (DNS rebinding). No redirects, proxies or cookies; nothing is decompressed (RFC 6890).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import httpcore
import httpx
import orjson

from authsrv.kit.public_addresses import AddressRefused, Resolve, SystemNames, judge_addresses
from authsrv.settings import is_loopback_host

LONGEST_ANSWER = 64 * 1024
_LONGEST_START = 2048
_START_SECONDS = 1.0
_AT_ONCE = 64
_AT_ONCE_PER_HOST = 8
_ADDRESSES_TRIED = 3
_CONNECT_SECONDS = 1.5
_HEADERS = {"User-Agent": "authsrv", "Accept-Encoding": "identity"}


class OutboundError(Exception):
    """No answer that can be used. The text repeats nothing of the URL or the answer, so it is safe to log and show."""


class UrlRefused(OutboundError):
    """The URL is none that this server calls."""


class HostRefused(OutboundError):
    """The host is, or also is, at an address that is not public."""


class Unreachable(OutboundError):
    """No connection, or one that broke."""


class TooSlow(OutboundError):
    """No answer in time."""


class UnusableAnswer(OutboundError):
    """An answer, but not what was asked for."""


class Reply(NamedTuple):
    """The status, and the first bytes of the body."""

    status: int
    start: bytes


class Fetched(NamedTuple):
    """A JSON document, and what its `Cache-Control` headers said."""

    document: Any
    cache_control: str


class Message(NamedTuple):
    """What to post."""

    body: bytes
    headers: Mapping[str, str]


class Outbound:
    """A bounded number of requests at once, and only some of them to one host."""

    def __init__(
        self,
        *,
        allow_loopback: bool,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        seconds: float = 5.0,
    ) -> None:
        """`allow_loopback` lets requests reach this machine, by plain http too; `seconds` is for one whole request."""
        self._allow_loopback = allow_loopback
        self._seconds = seconds
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._places_of_host: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._pool = httpcore.AsyncConnectionPool(
            # SSL_CERT_FILE counts: who has a certificate authority of their own names it there.
            ssl_context=ssl_context or httpx.create_ssl_context(),
            network_backend=JudgingBackend(resolve or SystemNames(), allow_loopback=allow_loopback),
            max_connections=_AT_ONCE,
            # Each request is judged anew.
            max_keepalive_connections=0,
        )

    async def close(self) -> None:
        await self._pool.aclose()

    async def fetch_json(self, url: str) -> Any:
        """The JSON document at this URL, at most 64 KiB of it. Raises OutboundError."""
        return (await self.fetch(url, LONGEST_ANSWER)).document

    async def fetch(self, url: str, most: int) -> Fetched:
        """The JSON document at this URL, of at most so many bytes. Raises OutboundError."""
        async with self._exchange("GET", url, b"", {"Accept": "application/json"}) as response:
            if response.status != 200:
                raise UnusableAnswer(f"answered {response.status}")
            if any(name.lower() == b"content-encoding" and value != b"identity" for name, value in response.headers):
                raise UnusableAnswer("answered with a compressed body")
            body = await _read(response, most + 1)
        if len(body) > most:
            raise UnusableAnswer(f"answered with more than {most} bytes")
        kept = [value.decode("latin-1") for name, value in response.headers if name.lower() == b"cache-control"]
        try:
            return Fetched(orjson.loads(body), ", ".join(kept))
        except orjson.JSONDecodeError:
            raise UnusableAnswer("answered with something that is not JSON") from None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """What the receiver answered, whatever the status. Raises OutboundError."""
        async with self._exchange("POST", url, body, headers) as response:
            start = bytearray()
            # The status is what counts: a body that never ends does not undo it.
            with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
                async with asyncio.timeout(_START_SECONDS):
                    await _read(response, _LONGEST_START, start)
            return Reply(response.status, bytes(start))

    @asynccontextmanager
    async def _exchange(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> AsyncIterator[httpcore.Response]:
        parts = self._judged_url(url)
        target = httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)
        sent = {"Host": parts.netloc.decode("ascii"), **_HEADERS, **headers}
        try:
            async with (
                self._place(parts.host),
                asyncio.timeout(self._seconds),
                self._pool.stream(method, target, headers=list(sent.items()), content=body) as response,
            ):
                yield response
        except AddressRefused:
            raise HostRefused("the host is not at a public address") from None
        except (TimeoutError, httpcore.TimeoutException):
            raise TooSlow("did not answer in time") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, UnicodeError) as error:
            raise Unreachable(f"cannot be reached: {type(error).__name__}") from None

    @asynccontextmanager
    async def _place(self, host: str) -> AsyncIterator[None]:
        """A slow host fills its own places, never everybody's. Raises TimeoutError when none falls free in time."""
        places = self._places_of_host.get(host)
        if places is None:
            places = self._places_of_host[host] = asyncio.Semaphore(_AT_ONCE_PER_HOST)
        async with asyncio.timeout(self._seconds) as waiting, places, self._places:
            waiting.reschedule(None)
            yield

    def _judged_url(self, url: str) -> httpx.URL:
        try:
            parts = httpx.URL(url)
            # A name that only looks internationalised (RFC 5890, 2.3.1) shows itself here.
            host = parts.host
        except (httpx.InvalidURL, ValueError, TypeError):
            raise UrlRefused("is not a URL") from None
        if parts.userinfo or not host:
            raise UrlRefused("must name a host and no user")
        if parts.port is not None and not 0 < parts.port < 65536:
            raise UrlRefused("has no such port")
        plain = parts.scheme == "http" and self._allow_loopback and is_loopback_host(parts.host)
        if parts.scheme != "https" and not plain:
            raise UrlRefused("must be https")
        return parts


class JudgingBackend(httpcore.AsyncNetworkBackend):
    """Connects to the very addresses it has judged, never to a name."""

    def __init__(self, resolve: Resolve, *, allow_loopback: bool) -> None:
        self._resolve = resolve
        self._allow_loopback = allow_loopback
        self._wire = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature; Outbound's own time limit is around it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises AddressRefused when any address of the host is an inner one."""
        addresses = judge_addresses(await self._resolve(host, port), allow_loopback=self._allow_loopback)
        fault: Exception = OSError("the host has no address")
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                return await self._wire.connect_tcp(address, port, _CONNECT_SECONDS, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
        raise fault


async def _read(response: httpcore.Response, most: int, into: bytearray | None = None) -> bytearray:
    """The body, or its first bytes: not many more than `most` are ever taken from the wire."""
    body = bytearray() if into is None else into
    async with aclosing(response.aiter_stream()) as chunks:  # type: ignore[type-var]  # an async generator, typed as less
        async for chunk in chunks:
            body += chunk[: most - len(body)]
            if len(body) >= most:
                break
    return body
