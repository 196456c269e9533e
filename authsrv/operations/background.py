"""How work runs beside requests: it outlives what breaks it, and ends with the server."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

START_AGAIN_SECONDS = 1.0


async def survive(work: Callable[[], Awaitable[None]]) -> None:
    """Runs what runs beside requests; whatever breaks it is said loudly, and it begins again."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("a background task broke; it begins again")
        else:
            return
        await asyncio.sleep(START_AGAIN_SECONDS)


async def end(task: "asyncio.Task[None]") -> None:
    """Cancels it and waits until it has ended."""
    task.cancel()
    await asyncio.wait([task])
