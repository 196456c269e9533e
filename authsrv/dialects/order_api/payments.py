"""Payment details: checked for the method, and forgotten, but for what a receipt shows of a card (PCI DSS 4.0, 3.4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authsrv.kit.errors import DomainError

_NUMBER_FIELDS = ("card_number", "number", "pan")
_SEPARATORS = re.compile(r"[ -]")
_DIGITS = re.compile(r"[0-9]{12,19}")
# ISO/IEC 7812 prefixes, for the receipt alone.
_BRANDS = (
    ("amex", re.compile(r"3[47]")),
    ("mastercard", re.compile(r"5[1-5]|2[2-7]")),
    ("discover", re.compile(r"6011|65")),
    ("visa", re.compile(r"4")),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What may be kept of a payment."""

    brand: str | None = None
    last_four: str | None = None


def read_receipt(method: str, details: Mapping[str, Any]) -> Receipt:
    """What may be kept. Raises `invalid_parameter` for details that cannot be this method's, repeating none of them."""
    number = next((details[name] for name in _NUMBER_FIELDS if details.get(name) is not None), None)
    if method != "credit_card":
        if number is not None:
            raise _refused("", f"a card number does not belong to {method}")
        return Receipt()
    if number is None:
        return Receipt(_brand(details), _last_four(details))
    digits = _SEPARATORS.sub("", number) if isinstance(number, str) else ""
    if not _DIGITS.fullmatch(digits) or not _passes_luhn(digits):
        raise _refused(".card_number", "is not a card number")
    brand = next((name for name, pattern in _BRANDS if pattern.match(digits)), "card")
    return Receipt(brand, digits[-4:])


def _brand(details: Mapping[str, Any]) -> str | None:
    text = _plain(details, "brand", 20)
    if text is not None and any(character.isdigit() for character in text):
        # Whoever puts a number here must not find it stored.
        raise _refused(".brand", "must be a name")
    return text


def _last_four(details: Mapping[str, Any]) -> str | None:
    text = _plain(details, "last4", 4) or _plain(details, "last_four", 4)
    if text is not None and not re.fullmatch(r"[0-9]{4}", text):
        raise _refused(".last4", "must be four digits")
    return text


def _plain(details: Mapping[str, Any], name: str, most: int) -> str | None:
    value = details.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise _refused(f".{name}", f"must be a text of at most {most} characters")
    return value


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: catches a mistyped digit."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _refused(field: str, fault: str) -> DomainError:
    return DomainError("invalid_parameter", 400, f"payment_details{field}: {fault}.")
