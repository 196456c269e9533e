"""`/operator/audit`: what happened to whom, by whom and when; looked through by filters, and taken away as CSV."""

import csv
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from authsrv.identity.sessions import SignedIn
from authsrv.pages.desk import show_desk
from authsrv.pages.leafing import PAGE, before_of, cut
from authsrv.pages.operator.frame import DESK
from authsrv.pages.operator.guard import operator_page
from authsrv.storage.audit import AuditEvent, AuditFilter, add_audit_event, search_audit_events
from authsrv.storage.unit import Unit
from authsrv.web.runtime import Runtime, runtime_of

_COLUMNS = ("created_at", "event", "actor", "subject", "details", "id")
_BATCH = 500
_LONGEST_WORD = 512
# OWASP, CSV Injection: what a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@operator_page
async def show(request: Request, person: SignedIn) -> Response:
    asked = _asked(request)
    wanted, faults = _read(asked)
    before = before_of(request)

    def look(unit: Unit) -> list[AuditEvent]:
        return search_audit_events(unit, wanted, before=before, limit=PAGE + 1)

    events, has_more = cut(await runtime_of(request).database.transact(look, read_only=True))
    return show_desk(
        request,
        person,
        DESK,
        "operator/audit.html",
        400 if faults else 200,
        tab="audit",
        asked=asked,
        faults=faults,
        events=[(event, _details(event)) for event in events],
        has_more=has_more,
        last=events[-1].id if events else None,
    )


@operator_page
async def export(request: Request, person: SignedIn) -> Response:
    """All that the filters let through, as it is read: the log may be longer than memory."""
    asked = _asked(request)
    wanted, _ = _read(asked)
    runtime = runtime_of(request)
    filters = " ".join(f"{name}={text}" for name, text in asked.items() if text)

    def record(unit: Unit) -> None:
        add_audit_event(unit, "audit.exported", actor=person.email, subject="audit", filters=filters)

    await runtime.database.transact(record)
    name = f"audit-{runtime.clock.now():%Y%m%d-%H%M%S}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(runtime, wanted), media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(runtime: Runtime, wanted: AuditFilter) -> AsyncIterator[str]:
    yield _line(_COLUMNS)
    before: UUID | None = None
    while True:

        def look(unit: Unit, before: UUID | None = before) -> list[AuditEvent]:
            return search_audit_events(unit, wanted, before=before, limit=_BATCH)

        events = await runtime.database.transact(look, read_only=True)
        yield "".join(_line(_cells(event)) for event in events)
        if len(events) < _BATCH:
            return
        before = events[-1].id


def _cells(event: AuditEvent) -> tuple[str, ...]:
    moment = event.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    details = orjson.dumps(event.details, option=orjson.OPT_SORT_KEYS).decode()
    return moment, event.event, event.actor, event.subject, details, str(event.id)


def _line(cells: tuple[str, ...]) -> str:
    """RFC 4180; no cell is one that a spreadsheet would run."""
    out = StringIO()
    csv.writer(out).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return out.getvalue()


def _details(event: AuditEvent) -> str:
    return ", ".join(f"{name}: {value}" for name, value in sorted(event.details.items()) if value is not None)


def _asked(request: Request) -> dict[str, str]:
    """The filters as they were typed."""
    names = ("event", "actor", "subject", "since", "until")
    query: Mapping[str, str] = request.query_params
    return {name: query.get(name, "").replace("\0", "").strip()[:_LONGEST_WORD] for name in names}


def _read(asked: Mapping[str, str]) -> tuple[AuditFilter, frozenset[str]]:
    """The filter, and which days are none; `until` is the last day that counts, UTC."""
    since, until = _day(asked["since"]), _day(asked["until"])
    faults = frozenset(name for name, day in (("since", since), ("until", until)) if asked[name] and day is None)
    wanted = AuditFilter(
        event=asked["event"] or None,
        actor=asked["actor"] or None,
        subject=asked["subject"] or None,
        since=since,
        until=until + timedelta(days=1) if until else None,
    )
    return wanted, faults


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    # The last day there is has no day behind it.
    return datetime.combine(day, time(), UTC) if day and day < date.max else None
