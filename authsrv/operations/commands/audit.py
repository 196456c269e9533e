"""`authsrv audit`: what happened to whom, by whom and when."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from authsrv.operations.commands.running import AsJson, Tools, run, show_many
from authsrv.storage.audit import AuditFilter, search_audit_events
from authsrv.storage.unit import Unit

commands = typer.Typer()

Moment = Annotated[datetime | None, typer.Option(help="UTC, as in 2026-11-30 or 2026-11-30T08:00:00.")]


@commands.command("audit")
def audit(
    event: Annotated[str | None, typer.Option(help="Exact, or its beginning with a star: client.*")] = None,
    actor: Annotated[str | None, typer.Option(help="Who did it: an e-mail address, a client_id, cli.")] = None,
    subject: Annotated[str | None, typer.Option(help="What it was done to.")] = None,
    since: Moment = None,
    until: Moment = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """The latest events that pass these filters, newest first."""
    wanted = AuditFilter(event, actor, subject, _aware(since), _aware(until))

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        return [
            {
                "id": str(one.id),
                "at": one.created_at.isoformat(),
                "event": one.event,
                "actor": one.actor,
                "subject": one.subject,
                "details": one.details,
            }
            for one in search_audit_events(unit, wanted, limit=limit)
        ]

    columns = ("at", "event", "actor", "subject", "details")
    show_many(run(work), as_json=as_json, columns=columns, nothing="No event.")


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
