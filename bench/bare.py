"""What everything is measured against: Starlette with nothing in it, under uvicorn as `authsrv serve` runs it."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def answer(request: Request) -> Response:
    """Reads the body, as whoever answers a POST has to, and says one word."""
    await request.body()
    return JSONResponse({"answer": "yes"})


def make_app() -> Starlette:
    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


def serve(port: int) -> None:
    uvicorn.run(
        "bench.bare:make_app",
        factory=True,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=65,
        lifespan="on",
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]))
