"""What a person is called, and whether they are an operator."""

from authsrv.kit.errors import DomainError
from authsrv.storage.audit import add_audit_event
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, end_operator, save_name

_LONGEST_NAME = 200
_LONGEST_LAST_NAME = 100


def rename_person(unit: Unit, user: User, typed: str) -> None:
    """Gives the person this name, its spaces tidied; an empty one is none. Raises `name_too_long`."""
    name = " ".join(typed.split())
    if len(name) > _LONGEST_NAME:
        raise DomainError("name_too_long", 400, f"name: has {_LONGEST_NAME} characters at most")
    if user.name != name:
        save_name(unit, user, name)


def name_in_parts(user: User, first: str, last: str) -> None:
    """Gives the person both names, of which the last ends the whole; what is too long of the first is left off."""
    first, last = first.strip(), last.strip()
    user.name = f"{first[: max(0, _LONGEST_NAME - len(last) - 1)]} {last}".strip()
    user.last_name = last if len(last) <= _LONGEST_LAST_NAME else ""


def demote_operator(unit: Unit, user: User, *, actor: str) -> None:
    """The operator's pages are closed to the person from now on. Raises `no_operator`."""
    if not end_operator(unit, user.id):
        raise DomainError("no_operator", 409, f"{user.email} is no operator.")
    add_audit_event(unit, "operator.demoted", actor=actor, subject=user.email)
