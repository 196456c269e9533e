"""Exact money: whole minor units inside, decimals at the doors; how many digits a currency has is CLDR's knowledge."""

from decimal import Decimal, InvalidOperation

from babel.core import get_global
from babel.numbers import get_currency_precision

_LARGEST = Decimal(10) ** 12


def is_currency(code: str) -> bool:
    """Whether this is an ISO 4217 code."""
    return code in get_global("all_currencies")


def to_minor(amount: str, currency: str) -> int:
    """`"14.00"` in USD is 1400. Raises ValueError for what is no price, or finer than the currency."""
    try:
        price = Decimal(amount)
    except InvalidOperation:
        raise ValueError(f"{amount!r} is not a price") from None
    if not price.is_finite() or not 0 <= price < _LARGEST:
        raise ValueError(f"{amount!r} is not a price")
    minor = price.scaleb(get_currency_precision(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount!r} is finer than {currency} goes")
    return int(minor)


def from_minor(minor: int, currency: str) -> Decimal:
    """1400 in USD is `Decimal("14.00")`."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))
