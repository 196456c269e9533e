"""An answer leaves in one packet, and one that has no body or streams it leaves all the same."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from authsrv.operations.http import BoundedHttp

pytestmark = pytest.mark.anyio


class Watched(BoundedHttp):
    """Counts what is written to the connection."""

    written: list[bytes]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(_Counting(transport, self.written))  # type: ignore[arg-type]


class _Counting:
    def __init__(self, transport: asyncio.Transport, written: list[bytes]) -> None:
        self._transport = transport
        self._written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._written.append(data)
        self._transport.write(data)


async def stream(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        # Until the head and what there is have arrived.
        await request.app.state.seen.wait()
        yield b"two"

    return StreamingResponse(pieces())


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})


async def whole(request: Request) -> Response:
    request.app.state.headers = request.headers
    return PlainTextResponse(await request.body() or b"hello")


async def nothing(_: Request) -> Response:
    return Response(status_code=204)


@dataclass(frozen=True)
class Served:
    """A server in this loop; `written` is what it wrote, call by call."""

    port: int
    written: list[bytes]
    app: Starlette

    async def hear(self, *requests: bytes) -> bytes:
        """What comes back until the server closes the connection, which the last request asks for."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"".join(requests))
        said = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return said


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    written: list[bytes] = []
    protocol = type("Own", (Watched,), {"written": written})
    app = Starlette(
        routes=[
            Route("/", whole, methods=["GET", "POST"]),
            Route("/nothing", nothing),
            Route("/stream", stream),
            Mount("/broken", broken),
        ]
    )
    app.state.seen = asyncio.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=protocol, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield Served(listener.getsockname()[1], written, app)
    server.should_exit = True
    await serving


def request(path: str = "/", method: str = "GET", *headers: str, body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: x", *headers, *([f"Content-Length: {len(body)}"] if body else [])]
    return "\r\n".join([*head, "", ""]).encode() + body


LAST = "Connection: close"


async def test_head_and_body_leave_together(served: Served) -> None:
    said = await served.hear(request("/", "GET", LAST))
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"\r\n\r\nhello")
    assert served.written == [said]


async def test_answers_on_one_connection_keep_their_order(served: Served) -> None:
    said = await served.hear(
        *(request("/", "POST", body=b"%d." % number) for number in range(9)), request("/", "GET", LAST)
    )
    assert said.count(b"HTTP/1.1 200 ") == len(served.written) == 10
    bodies = [answer.rpartition(b"\r\n\r\n")[2] for answer in served.written]
    assert bodies == [*(b"%d." % number for number in range(9)), b"hello"]


@pytest.mark.parametrize(("path", "method", "status"), [("/", "HEAD", b"200"), ("/nothing", "GET", b"204")])
async def test_an_answer_without_a_body_leaves_too(served: Served, path: str, method: str, status: bytes) -> None:
    said = await served.hear(request(path, method), request("/", "GET", LAST))
    assert said.startswith(b"HTTP/1.1 " + status)
    assert said.count(b"HTTP/1.1 ") == 2
    assert said.endswith(b"hello")


async def test_who_asks_whether_to_go_on_is_told_before_they_do(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    asked = request("/", "POST", "Expect: 100-continue", LAST, body=b"body")
    async with asyncio.timeout(10):
        writer.write(asked.removesuffix(b"body"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"body")
        said = await reader.read()
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert said.endswith(b"body")
    writer.close()


async def test_what_follows_a_body_is_no_header(served: Served) -> None:
    chunked = b"4\r\nbody\r\n0\r\nAuthorization: Basic YTpi\r\n\r\n"
    said = await served.hear(request("/", "POST", "Transfer-Encoding: chunked", LAST) + chunked)
    assert said.endswith(b"body")
    assert set(served.app.state.headers) == {"host", "transfer-encoding", "connection"}


async def test_what_is_there_of_a_stream_does_not_wait_for_the_rest(served: Served) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(request("/stream"))
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"one ")).startswith(b"HTTP/1.1 200 ")
        served.app.state.seen.set()
        assert (await reader.readuntil(b"two")).endswith(b"two")
    writer.close()


async def test_a_head_without_the_body_that_was_to_follow_leaves_before_the_end(served: Served) -> None:
    said = await served.hear(request("/broken/"))
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"\r\n\r\n")
