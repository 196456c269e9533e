"""Ending a grant because its client hands a refresh token back: row, feed and audit log in one statement."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, Uuid, bindparam, insert, literal_column, select, update
from sqlmodel import col

from authsrv.storage.audit import AuditEvent, add_audit_event
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.grants import Grant
from authsrv.storage.revocations import Revocation, add_revocation
from authsrv.storage.unit import Notice, NoticeKind, Unit

_EVENT = "grant.revoked"


def _value(name: str, kind: Any) -> Any:
    return bindparam(name, type_=kind).label(name)


_TABLE: Any = Grant
_ENDED = (
    update(_TABLE)
    .where(
        col(Grant.id) == bindparam("grant_id"),
        col(Grant.client_id) == bindparam("client_row_id"),
        col(Grant.revoked_at).is_(None),
    )
    .values(revoked_at=bindparam("now"))
    .returning(col(Grant.id))
)
_GONE = _ENDED.cte("ended")
_LINE = insert(Revocation).from_select(
    ["id", "kind", "subject", "expires_at"],
    select(
        _value("line_id", Uuid()),
        literal_column(f"'{NoticeKind.GRANT.value}'"),
        _value("subject", String()),
        _value("tokens_end_at", UTC_TIME),
    ).select_from(_GONE),
)
# PostgreSQL takes several writes as one statement; SQLite has no such thing, and no way to the server to save.
_END_AT_ONCE = (
    insert(AuditEvent)
    .from_select(
        ["id", "event", "actor", "subject", "details", "created_at"],
        select(
            _value("event_id", Uuid()),
            literal_column(f"'{_EVENT}'"),
            _value("actor", String()),
            _value("subject", String()),
            literal_column("'{}'::json"),
            _value("now", UTC_TIME),
        ).select_from(_GONE),
    )
    .returning(col(AuditEvent.id))
    .add_cte(_LINE.cte("line"))
)


def end_clients_grant(unit: Unit, grant_id: UUID, client_row_id: UUID, *, actor: str, tokens_end_at: datetime) -> bool:
    """Ends the client's living grant and, by the feed, its access tokens, and writes it down.

    False when there is none, or it had ended before.
    """
    whose: dict[str, Any] = {"grant_id": grant_id, "client_row_id": client_row_id, "now": unit.now()}
    if not unit.is_postgresql:
        if unit.fetch_one(_ENDED, **whose) is None:
            return False
        add_revocation(unit, NoticeKind.GRANT, str(grant_id), tokens_end_at)
        add_audit_event(unit, _EVENT, actor=actor, subject=str(grant_id))
        return True
    notice = Notice(unit.new_id(), NoticeKind.GRANT, str(grant_id), tokens_end_at)
    written = unit.fetch_alone(
        _END_AT_ONCE,
        **whose,
        line_id=notice.id,
        event_id=unit.new_id(),
        subject=notice.subject,
        actor=actor,
        tokens_end_at=tokens_end_at,
    )
    if written is None:
        return False
    unit.notices.append(notice)
    return True
