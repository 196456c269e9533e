"""What happened to an app: each event in words, with who and when; people who use the app are not named here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.identifiers import parse_uuid
from authsrv.pages.developers.frame import show_app
from authsrv.pages.developers.guard import Developing, app_page
from authsrv.storage.app_events import list_app_events
from authsrv.storage.audit import AuditEvent
from authsrv.storage.unit import Unit
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of
from authsrv.web.texts import Language

_PAGE = 50
# Whose deed an event is: a member of the team, who is named; the operator; the app itself; this server.
TEAM, OPERATOR, APP, SERVER = "team", "operator", "app", "server"
# What stands in the log, in the words of `developers.event.{name}`. What the people do who use the app does not: that
# they allowed it or left is theirs.
EVENTS: Mapping[str, str] = {
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
_TOLD = ("fields", "last_four", "expires_at", "email", "role", "kind", "reason", "url", "scope")
# Done by whoever sits at the shell of the server.
_SHELL = ("cli", "demo", "test")


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event as the page shows it."""

    words: str
    detail: str
    who: str
    at: datetime


@app_page
async def show(request: Request, developing: Developing) -> Response:
    """The latest, and the way to the earlier ones."""
    client, language = developing.client, language_of(request)
    before = parse_uuid(request.query_params.get("before", ""))

    def look(unit: Unit) -> list[AuditEvent]:
        return list_app_events(unit, client, events=list(EVENTS), before=before, limit=_PAGE + 1)

    events = await runtime_of(request).database.transact(look, read_only=True)
    return show_app(
        request,
        developing,
        "developers/events.html",
        tab="events",
        events=[shown_event(language, event) for event in events[:_PAGE]],
        older=str(events[_PAGE - 1].id) if len(events) > _PAGE else None,
        is_first=before is None,
    )


def shown_event(language: Language, event: AuditEvent) -> ShownEvent:
    words = language.say(f"developers.event.{event.event.replace('.', '_')}")
    return ShownEvent(words, _detail(language, event.details), _who(language, event), event.created_at)


def _who(language: Language, event: AuditEvent) -> str:
    by = EVENTS[event.event]
    if by == TEAM and event.actor not in _SHELL:
        return event.actor
    return language.say(f"developers.by_{OPERATOR if by == TEAM else by}")


def _detail(language: Language, details: Mapping[str, Any]) -> str:
    """What is worth telling of the details: known ones, in words; all others are the operator's."""
    return ", ".join(
        language.say(f"developers.event_{name}", value=details[name]) for name in _TOLD if details.get(name)
    )
