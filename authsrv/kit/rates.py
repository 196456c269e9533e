"""How often something may happen, in the notation of the `limits` library: `600/minute`, `30/10minutes`, or `off`."""

from dataclasses import dataclass

from limits import parse

OFF = "off"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds."""

    amount: int
    seconds: int

    def part(self, of: int) -> int:
        """The amount that is left for one of so many who count on their own; never nothing of something."""
        return self.amount // of or min(self.amount, 1)


def read_rate(text: str) -> Rate | None:
    """The rate; None for `off`. Raises ValueError for what is neither."""
    if text.strip().lower() == OFF:
        return None
    item = parse(text)
    return Rate(item.amount, item.get_expiry())
