"""Counters that begin anew, and never fill memory."""

import pytest

from authsrv.kit.rates import Rate, read_rate
from authsrv.kit.windows import Windows


def test_a_window_is_there_until_it_is_over() -> None:
    windows = Windows()
    assert windows.find("a", 0.0) is None
    windows.open("a", 60.0).count = 5
    found = windows.find("a", 59.9)
    assert found is not None
    assert found.count == 5
    assert windows.find("a", 60.0) is None
    assert windows.open("a", 120.0).count == 0


def test_the_oldest_window_makes_room() -> None:
    windows = Windows(room=2)
    windows.open("a", 60.0)
    windows.open("b", 60.0)
    windows.open("a", 90.0)
    windows.open("c", 60.0)
    assert [key for key in "abc" if windows.find(key, 1.0)] == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "rate"),
    [("600/minute", Rate(600, 60)), ("30/10minutes", Rate(30, 600)), ("1 per 2 hours", Rate(1, 7200)), (" OFF ", None)],
)
def test_rates_are_read(text: str, rate: Rate | None) -> None:
    assert read_rate(text) == rate


def test_what_is_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="parse"):
        read_rate("often")


@pytest.mark.parametrize(("amount", "of", "part"), [(600, 4, 150), (5, 4, 1), (2, 4, 1), (0, 4, 0), (7, 1, 7)])
def test_a_worker_takes_its_part(amount: int, of: int, part: int) -> None:
    assert Rate(amount, 60).part(of) == part
