"""What every page must be, as looking.mjs found it in both widths and both colour schemes."""

from collections.abc import Sequence
from typing import Any

HEAVIEST = 100 * 1024
SIGHTS = 4


def assert_all_is_well(looks: Sequence[dict[str, Any]], pages: int) -> None:
    """Each of so many pages: light, quiet, no wider than the window, and every control within reach of the keyboard."""
    assert len({look["name"] for look in looks}) == pages
    assert len(looks) == pages * SIGHTS
    for look in looks:
        faults = look["violations"], look["complaints"], look["unreached"], max(0, look["sideways"])
        assert not any(faults), (look["name"], faults)
        assert 0 < look["bytes"] < HEAVIEST, look["name"]
