"""`/operator`: what developers have asked for, and the answer to it."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.approvals import decide_approval, face_of, list_requests
from authsrv.pages.desk import show_desk
from authsrv.pages.operator.acts import LONGEST_REASON, fault_of, reason_in
from authsrv.pages.operator.frame import DESK
from authsrv.pages.operator.guard import not_there, operator_page, weighty_action, weighty_page
from authsrv.storage.approvals import OPEN, ApprovalRequest, find_approval_request
from authsrv.storage.client_members import list_members
from authsrv.storage.clients import Client
from authsrv.storage.connections import count_connections
from authsrv.storage.unit import Unit
from authsrv.web.approval_mails import tell_decision
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import redirect


@operator_page
async def queue(request: Request, person: SignedIn) -> Response:
    """What waits, the longest first."""
    waiting = await runtime_of(request).database.transact(list_requests, read_only=True)
    return show_desk(request, person, DESK, "operator/queue.html", tab="queue", waiting=waiting)


@weighty_page
async def ask_decision(request: Request, person: SignedIn) -> Response:
    return await _decision_page(request, person)


@weighty_action
async def decide(request: Request, person: SignedIn, fields: Fields) -> Response:
    reason, approve, seen = reason_in(fields), fields.one("decision") == "approve", fields.one("seen")
    if fault := fault_of(reason):
        return await _decision_page(request, person, reason=reason, error=fault, status=400)
    runtime, request_id = runtime_of(request), _request_id(request)

    try:
        decision = await runtime.database.transact(
            lambda unit: decide_approval(
                unit, request_id, approve=approve, reason=reason, operator=person.email, seen=seen
            )
        )
    except DomainError as refused:
        if refused.code == "changed_since":
            error = "operator.done.changed_since"
            return await _decision_page(request, person, reason=reason, error=error, status=refused.status)
        if refused.code != "decided_before":
            raise
        return redirect(request, "/operator", done="decided_before")
    await tell_decision(runtime.post, decision)
    return redirect(request, "/operator", done="approved" if approve else "refused")


async def _decision_page(
    request: Request, person: SignedIn, *, reason: str = "", error: str | None = None, status: int = 200
) -> Response:
    request_id = _request_id(request)

    def look(unit: Unit) -> tuple[ApprovalRequest, Client, list[str], int]:
        found = find_approval_request(unit, request_id)
        if found is None or found[1].deleted_at is not None:
            raise not_there()
        wish, client = found
        return (
            wish,
            client,
            [member.email for member in list_members(unit, client.id)],
            count_connections(unit, client.id),
        )

    wish, client, team, stores = await runtime_of(request).database.transact(look, read_only=True)
    if wish.status != OPEN:
        return redirect(request, "/operator", done="decided_before")
    return show_desk(
        request,
        person,
        DESK,
        "operator/request.html",
        status,
        tab="queue",
        wish=wish,
        app=client,
        team=team,
        stores=stores,
        face=face_of(client),
        reason=reason,
        error=error,
        longest=LONGEST_REASON,
    )


def _request_id(request: Request) -> UUID:
    request_id = parse_uuid(request.path_params["request"])
    if request_id is None:
        raise not_there()
    return request_id
