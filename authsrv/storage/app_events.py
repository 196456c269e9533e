"""What the audit log knows of one app: done to it, to its API keys and webhooks, or by it."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from authsrv.storage.api_keys import ApiKey
from authsrv.storage.audit import AuditEvent
from authsrv.storage.clients import Client
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import Webhook

# Whose deed an event is: a member of the team, who is named; the operator; the app itself; this server.
TEAM, OPERATOR, APP, SERVER = "team", "operator", "app", "server"
# What stands in the log, in the words of `developers.event.{name}`. What the people do who use the app does not: that
# they allowed it or left is theirs.
APP_EVENTS: Mapping[str, str] = {
    "client.created": TEAM,
    "client.changed": TEAM,
    "client.secret_added": TEAM,
    "client.secret_rotated": TEAM,
    "client.secret_ended": TEAM,
    "client.secret_expiry_set": TEAM,
    "client.keys_changed": TEAM,
    "client.keys_removed": TEAM,
    "client.tried": TEAM,
    "client.approved": OPERATOR,
    "client.suspended": OPERATOR,
    "client.resumed": OPERATOR,
    "approval.requested": TEAM,
    "approval.withdrawn": TEAM,
    "approval.approved": OPERATOR,
    "approval.refused": OPERATOR,
    "member.invited": TEAM,
    "member.joined": TEAM,
    "member.role_changed": TEAM,
    "member.removed": TEAM,
    "member.invitation_revoked": TEAM,
    "api_key.created": TEAM,
    "api_key.revoked": TEAM,
    "webhook.created": TEAM,
    "webhook.changed": TEAM,
    "webhook.deleted": TEAM,
    "webhook.enabled": TEAM,
    "webhook.disabled": TEAM,
    "webhook.secret_rotated": TEAM,
    "webhook.switched_off": SERVER,
    "grant.refresh_reused": APP,
    "grant.code_replayed": APP,
    "grant.generation_leapt": SERVER,
}


def list_app_events(
    unit: Unit, client: Client, *, events: Collection[str], before: UUID | None, limit: int
) -> list[AuditEvent]:
    """Up to `limit` of these events, newest first, older than the event `before`."""

    def find(whose: ColumnElement[bool]) -> list[AuditEvent]:
        query = select(AuditEvent).where(whose, col(AuditEvent.event).in_(events))
        if before is not None:
            query = query.where(col(AuditEvent.id) < before)
        return list(unit.session.exec(query.order_by(col(AuditEvent.id).desc()).limit(limit)))

    subjects = [client.client_id, *_parts_of(unit, client.id)]
    # Two queries, an index for each; with OR neither would serve.
    done_to, done_by = find(col(AuditEvent.subject).in_(subjects)), find(col(AuditEvent.actor) == client.client_id)
    found = {event.id: event for event in (*done_to, *done_by)}
    return sorted(found.values(), key=lambda event: event.id, reverse=True)[:limit]


def _parts_of(unit: Unit, client_row_id: UUID) -> list[str]:
    """What the log calls its API keys and webhooks."""
    keys = unit.session.exec(select(ApiKey.key_id).where(ApiKey.client_id == client_row_id))
    webhooks = unit.session.exec(select(Webhook.id).where(Webhook.client_id == client_row_id))
    return [*keys, *map(str, webhooks)]
