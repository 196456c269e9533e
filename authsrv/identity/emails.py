"""E-mail addresses as names of people: checked, and in one spelling (RFC 5321, 2.3.11; RFC 6531)."""

from email_validator import EmailNotValidError, validate_email

from authsrv.kit.errors import DomainError

# RFC 5321, 4.5.3.1 allows 254 octets; the spaces around it are forgiven.
_LONGEST = 400


def normal_email(text: str) -> str:
    """The address in lower case and normal form. Raises `invalid_email` with what is wrong with it."""
    if len(text) > _LONGEST:
        # Before anything looks closer: a text without end would keep the checks busy for as long.
        raise DomainError("invalid_email", 400, "The email address is too long.")
    try:
        checked = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as fault:
        raise DomainError("invalid_email", 400, str(fault)) from None
    return checked.normalized.lower()
