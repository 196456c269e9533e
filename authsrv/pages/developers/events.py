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
from authsrv.storage.app_events import APP_EVENTS, OPERATOR, TEAM, list_app_events
from authsrv.storage.audit import AuditEvent
from authsrv.storage.unit import Unit
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of, spell_moment
from authsrv.web.texts import Language

_PAGE = 50
_TOLD = ("fields", "last_four", "expires_at", "email", "role", "kind", "reason", "url", "scope")


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
        return list_app_events(unit, client, events=list(APP_EVENTS), before=before, limit=_PAGE + 1)

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
    by = APP_EVENTS[event.event]
    if by == TEAM and "@" in event.actor:
        return event.actor
    # What a team does, an operator can do too, at the server's own shell.
    return language.say(f"developers.by_{OPERATOR if by == TEAM else by}")


def _detail(language: Language, details: Mapping[str, Any]) -> str:
    """What is worth telling of the details: known ones, in words; all others are the operator's."""
    told = {name: details[name] for name in _TOLD if details.get(name)}
    if "expires_at" in told:
        told["expires_at"] = spell_moment(language, datetime.fromisoformat(told["expires_at"]))
    return ", ".join(language.say(f"developers.event_{name}", value=value) for name, value in told.items())
