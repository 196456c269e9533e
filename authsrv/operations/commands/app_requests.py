"""`authsrv apps requests|accept|refuse|withdraw`: what developers asked for, and the answer, which they get by mail."""

from typing import Annotated, Any
from uuid import UUID

import typer

from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.approvals import ApprovalDecision, decide_approval, list_requests, withdraw_request_by_id
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.storage.approvals import OPEN
from authsrv.storage.database import Database
from authsrv.storage.unit import Unit

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]
Reason = Annotated[str, typer.Option(help="Its developers read it, and it stands in the audit log.")]


def requests(
    settled: Annotated[bool, typer.Option("--settled", help="Those that were decided too.")] = False,
    as_json: AsJson = False,
) -> None:
    """What developers have asked for, who waits longest first; with the settled ones, newest first."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        return [
            {
                "id": str(request.id),
                "client_id": client.client_id,
                "name": client.name,
                "kind": request.kind,
                "text": request.text,
                "wanted": request.wanted,
                "status": request.status,
                "reason": request.reason or None,
                "asked_by": request.asked_by,
                "created_at": request.created_at.isoformat(),
            }
            for request, client in list_requests(unit, status=None if settled else OPEN)
        ]

    columns = ("id", "client_id", "name", "kind", "status", "asked_by", "created_at")
    show_many(run(work), as_json=as_json, columns=columns, nothing="Nothing waits.")


def accept(request_id: RequestId, reason: Reason, as_json: AsJson = False) -> None:
    """Approve an app, or let a change of an approved one take effect."""
    _decide(request_id, reason, approve=True, as_json=as_json)


def refuse(request_id: RequestId, reason: Reason, as_json: AsJson = False) -> None:
    """Refuse what was asked for; nothing changes."""
    _decide(request_id, reason, approve=False, as_json=as_json)


def withdraw(request_id: RequestId, as_json: AsJson = False) -> None:
    """Take back what was asked for and is not decided yet, as its developers do."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        request, client = withdraw_request_by_id(unit, _row_id(request_id), actor=ACTOR)
        return {"id": request_id, "client_id": client.client_id, "kind": request.kind, "withdrawn": True}

    show_one(run(work), as_json=as_json)


def _row_id(request_id: str) -> UUID:
    row_id = parse_uuid(request_id)
    if row_id is None:
        raise DomainError("not_found", 404, f"There is no request {request_id}.")
    return row_id


def _decide(request_id: str, reason: str, *, approve: bool, as_json: bool) -> None:
    from authsrv.operations.commands.mailing import NOT_SENT, Postman  # noqa: PLC0415  # templates: slow to load

    told: list[int] = []

    def work(unit: Unit, _: Tools) -> ApprovalDecision:
        return decide_approval(unit, _row_id(request_id), approve=approve, reason=reason, operator=ACTOR)

    async def tell(decided: ApprovalDecision, tools: Tools, database: Database) -> None:
        told.append(await Postman(tools, database).tell(decided))

    decided = run(work, afterwards=tell)
    shown = {
        "id": request_id,
        "client_id": decided.client_id,
        "kind": decided.kind,
        "approved": decided.is_approved,
        "mailed": told[0],
    }
    show_one(shown, as_json=as_json, note="" if told[0] == len(decided.emails) else NOT_SENT)
