"""Small bar charts as the server draws them: numbers in, the places of bars out; the template makes SVG of it."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 300
HEIGHT = 64
_GAP = 2
# What is not nothing can be seen.
_LEAST = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's bar: where it stands, and what it says to who points at it."""

    x: float
    y: float
    width: float
    height: float
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A series with its sum and its highest day, None where there is nothing at all."""

    key: str
    bars: tuple[Bar, ...]
    total: int
    highest: Bar | None
    width: int = WIDTH
    height: int = HEIGHT


def draw(key: str, names: Sequence[str], numbers: Sequence[int]) -> Chart:
    """Each number as a bar, the highest as high as the chart."""
    top = max(numbers, default=0)
    step = WIDTH / max(len(numbers), 1)
    bars = tuple(
        _bar(at * step, step - _GAP, name, number, top)
        for at, (name, number) in enumerate(zip(names, numbers, strict=True))
    )
    highest = max(bars, key=lambda bar: bar.number) if top else None
    return Chart(key, bars, sum(numbers), highest)


def _bar(x: float, width: float, name: str, number: int, top: int) -> Bar:
    height = max(round(HEIGHT * number / top, 1), _LEAST) if number else 0
    return Bar(round(x, 1), round(HEIGHT - height, 1), round(width, 1), height, name, number)
