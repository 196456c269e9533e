"""Who sends a request too slowly does not hold a connection for ever."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from authsrv.operations.http import BoundedHttp

pytestmark = pytest.mark.anyio
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
WHOLE = HEAD + b"Content-Length: 2\r\n\r\nhi"


class Hasty(BoundedHttp):
    """The same in less time."""

    request_seconds = 0.3


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, http=Hasty, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def heard(port: int, *pieces: bytes, pause: float = 0.1) -> tuple[bytes, float]:
    """What the server said until it closed the connection, and after how many seconds that was."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(pause)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer, time.monotonic() - began


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ((), b""),
        ((HEAD,), b"HTTP/1.1 408 "),
        ((b"P", b"O", b"S", b"T"), b"HTTP/1.1 408 "),
        ((HEAD + b"Content-Length: 10\r\n\r\nhal",), b""),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n",), b""),
    ],
    ids=["nothing", "half-a-head", "a-byte-now-and-then", "half-a-body", "chunks-without-end"],
)
async def test_a_request_that_does_not_end_loses_its_connection(
    port: int, pieces: tuple[bytes, ...], answer: bytes
) -> None:
    said, seconds = await heard(port, *pieces)
    assert said.startswith(answer)
    assert seconds < 5


async def test_a_second_request_on_the_connection_is_bounded_too(port: int) -> None:
    said, seconds = await heard(port, WHOLE, HEAD)
    assert said.count(b"HTTP/1.1 200 ") == said.count(b"HTTP/1.1 408 ") == 1
    assert seconds < 5


async def test_a_request_in_pieces_that_comes_to_its_end_is_answered(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in (WHOLE[:10], WHOLE[10:50], WHOLE[50:]):
        writer.write(piece)
        await asyncio.sleep(0.05)
    assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200 ")
    # Between requests it is no longer that limit which counts.
    await asyncio.sleep(0.5)
    writer.write(WHOLE)
    assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200 ")
    writer.close()
