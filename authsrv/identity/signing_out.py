"""Ending a person's sessions from elsewhere: another browser of theirs, or the shell (OWASP ASVS, V3.3)."""

from uuid import UUID

from authsrv.identity.sessions import Sessions
from authsrv.storage.audit import add_audit_event
from authsrv.storage.unit import Unit


def sign_out_session(
    unit: Unit, sessions: Sessions, user_id: UUID, session_id: UUID, *, email: str, actor: str
) -> bool:
    """Ends one session of the person, and apps hear of it; False when it is not theirs or had ended."""
    if not sessions.end(unit, session_id, user_id):
        return False
    add_audit_event(unit, "session.ended", actor=actor, subject=email, session=str(session_id))
    return True


def sign_out_everywhere(
    unit: Unit, sessions: Sessions, user_id: UUID, *, kept: UUID | None = None, email: str, actor: str
) -> int:
    """Ends all sessions of the person but the one that is `kept`, and apps hear of it; returns how many."""
    count = sessions.end_others(unit, kept, user_id) if kept else sessions.end_all(unit, user_id)
    add_audit_event(unit, "sessions.ended", actor=actor, subject=email, count=count)
    return count
