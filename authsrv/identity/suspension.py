"""Suspending a person: they cannot sign in, and whatever acts for them stops at once, everywhere within a second."""

from datetime import datetime

from authsrv.identity.personal_clients import switch_off, switch_on
from authsrv.identity.sessions import Sessions
from authsrv.kit.errors import DomainError
from authsrv.storage.audit import add_audit_event
from authsrv.storage.grants import revoke_grants_of
from authsrv.storage.personal_clients import list_clients_of
from authsrv.storage.revocations import add_revocation
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.users import User, resume_user, suspend_user


class PersonSuspended(DomainError):
    """They have proved who they are, so they may hear it. What the proof used up stays used."""

    keeps_writes = True

    def __init__(self) -> None:
        super().__init__("person_suspended", 403, "This account has been suspended.")


def refuse_suspended(user: User) -> None:
    """Raises PersonSuspended."""
    if user.suspended_at is not None:
        raise PersonSuspended


def suspend_person(
    unit: Unit, user: User, sessions: Sessions, tokens_end_at: datetime, *, actor: str, reason: str
) -> bool:
    """Sessions, grants, tokens and API passwords of the person end; False when they had been suspended before.

    What apps do for themselves goes on, whoever develops them.
    """
    if not suspend_user(unit, user.id):
        return False
    ended = sessions.end_all(unit, user.id)
    grants = revoke_grants_of(unit, user.id)
    add_revocation(unit, NoticeKind.USER, str(user.id), tokens_end_at)
    for client, _ in list_clients_of(unit, user.id):
        switch_off(unit, client)
    add_audit_event(
        unit, "user.suspended", actor=actor, subject=user.email, reason=reason, sessions=ended, grants=grants
    )
    return True


def resume_person(
    unit: Unit, user: User, sessions: Sessions, tokens_end_at: datetime, *, actor: str, reason: str
) -> bool:
    """They may sign in again, and API passwords that their stores still allow work; what ended stays ended."""
    if not resume_user(unit, user.id):
        return False
    # Those that began in the very moment of the suspension.
    sessions.end_all(unit, user.id)
    add_revocation(unit, NoticeKind.USER, str(user.id), tokens_end_at)
    for client, is_allowed in list_clients_of(unit, user.id):
        if is_allowed:
            switch_on(unit, client)
    add_audit_event(unit, "user.resumed", actor=actor, subject=user.email, reason=reason)
    return True
