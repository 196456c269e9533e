"""Coroutines by hand: the first step of one taken without waiting, and what is left of it awaited afterwards."""

from collections.abc import Callable, Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any, TypeVar, cast

T = TypeVar("T")


@coroutine
def resume(started: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    """Awaits the rest of a coroutine whose last `send` gave `awaited`; returns and raises what it does."""
    while True:
        step: Callable[[], Any]
        try:
            step = partial(started.send, (yield awaited))
        except BaseException as error:  # noqa: BLE001  # a cancellation, say: it is for whom it interrupts
            step = partial(started.throw, error)
        try:
            awaited = step()
        except StopIteration as done:
            return cast("T", done.value)
