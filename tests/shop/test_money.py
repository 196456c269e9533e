"""Money is exact, in whatever currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsrv.shop.money import from_minor, is_currency, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("14.00", "USD", 1400),
        ("14", "EUR", 1400),
        ("0", "EUR", 0),
        ("0.1", "EUR", 10),
        ("1.100", "EUR", 110),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("999999999999.99", "USD", 99_999_999_999_999),
    ],
)
def test_a_price_is_so_many_minor_units(amount: str, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor
    assert from_minor(minor, currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.001", "EUR"),
        ("1.5", "JPY"),
        ("-1", "EUR"),
        ("", "EUR"),
        ("ten", "EUR"),
        ("NaN", "EUR"),
        ("sNaN", "EUR"),
        ("Infinity", "EUR"),
        ("1e12", "EUR"),
        ("1e999999", "EUR"),
        ("1,50", "EUR"),
        ("1e-999999", "EUR"),
    ],
)
def test_what_is_no_price_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"is not a price|is finer than"):
        to_minor(amount, currency)


@given(st.integers(0, 10**14 - 1), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_there_and_back_is_where_it_began(minor: int, currency: str) -> None:
    amount = from_minor(minor, currency)
    if amount < 10**12:
        assert to_minor(str(amount), currency) == minor


@pytest.mark.parametrize(
    ("code", "known"), [("EUR", True), ("USD", True), ("eur", False), ("XXX1", False), ("", False)]
)
def test_currencies_are_those_of_iso_4217(code: str, known: bool) -> None:  # noqa: FBT001 - a row of the table above
    assert is_currency(code) is known
