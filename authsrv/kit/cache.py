"""A bounded memory of looked-up things that stays true because news of a change always beats an older look-up."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class LookupCache(Generic[V]):
    """Keeps what was found, and, in a smaller room of its own, what was not.

    A flood of made-up keys therefore cannot push out the real ones.
    """

    def __init__(self, *, found: int = 10_000, missing: int = 1_000) -> None:
        self._found: OrderedDict[str, V] = OrderedDict()
        self._missing: OrderedDict[str, None] = OrderedDict()
        self._found_room = found
        self._missing_room = missing
        self._forgotten = 0

    def knows(self, key: str) -> bool:
        """Whether `recall` has an answer, be it that there is no such thing."""
        return key in self._found or key in self._missing

    def recall(self, key: str) -> V | None:
        """What is remembered."""
        return self._found.get(key)

    def get(self, key: str, look_up: Callable[[str], V | None]) -> V | None:
        """The remembered value, else what `look_up` finds; a value read before a `forget` is used once but not kept."""
        value = self._found.get(key)
        if value is not None:
            return value
        if key in self._missing:
            return None
        forgotten = self._forgotten
        value = look_up(key)
        if forgotten == self._forgotten:
            self._keep(key, value)
        return value

    def forget(self, key: str) -> None:
        """The thing changed: look it up anew."""
        self._forgotten += 1
        self._found.pop(key, None)
        self._missing.pop(key, None)

    def clear(self) -> None:
        self._forgotten += 1
        self._found.clear()
        self._missing.clear()

    def _keep(self, key: str, value: V | None) -> None:
        if value is None:
            self._missing[key] = None
            if len(self._missing) > self._missing_room:
                self._missing.popitem(last=False)
        else:
            self._found[key] = value
            if len(self._found) > self._found_room:
                self._found.popitem(last=False)
