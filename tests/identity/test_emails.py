"""An e-mail address as people type it: one spelling of it is kept, and what is none is refused."""

import pytest

from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("dev@example.com", "dev@example.com"),
        ("  Dev@Example.COM ", "dev@example.com"),
        ("first.last+tag@example.com", "first.last+tag@example.com"),
        ("dev@bücher.example", "dev@bücher.example"),
    ],
)
def test_an_address_has_one_spelling(typed: str, kept: str) -> None:
    assert normal_email(typed) == kept


@pytest.mark.parametrize("typed", ["", "dev", "@example.com", "dev@", "a b@example.com", "dev@example.com\nBcc: x@y.z"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(DomainError) as refused:
        normal_email(typed)
    assert refused.value.code == "invalid_email"
