"""Counters that begin anew when their time is over, in bounded memory."""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class Window:
    """A count, and when, on a monotonic clock, it is forgotten."""

    ends_at: float
    count: int = 0


class Windows:
    """One window a key. When there are too many, the oldest go first: a flood of made-up keys must not fill memory."""

    def __init__(self, room: int = 100_000) -> None:
        self._room = room
        # A plain dict would look for its first entry behind all those that were deleted.
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def find(self, key: str, now: float) -> Window | None:
        """The key's window, unless it is over."""
        window = self._windows.get(key)
        return window if window is not None and window.ends_at > now else None

    def open(self, key: str, ends_at: float) -> Window:
        """A new window in place of the old one."""
        windows = self._windows
        windows.pop(key, None)
        if len(windows) >= self._room:
            windows.popitem(last=False)
        window = windows[key] = Window(ends_at)
        return window
