"""An app at a glance: where it stands, how many stores it is connected to, and asking for approval."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.oauth.approvals import LONGEST_TEXT, request_approval, withdraw_request
from authsrv.oauth.connecting import MOST_UNAPPROVED
from authsrv.pages.developers.app_form import scope_lines
from authsrv.pages.developers.frame import back_to, show_app
from authsrv.pages.developers.guard import Developing, app_action, app_page, change_app
from authsrv.storage.approvals import APP, CHANGE, ApprovalRequest, list_approval_requests
from authsrv.storage.connections import count_connections
from authsrv.storage.stores import Store, find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of

_TAB = "overview"
_SHORTEST_TEXT = 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to know beside the app's own row; `asked` is the latest wish of each kind."""

    connected: int
    store: Store | None
    asked: dict[str, ApprovalRequest]


@app_page
async def show(request: Request, developing: Developing) -> Response:
    return await _page(request, developing)


@app_action
async def ask(request: Request, developing: Developing, form: Fields) -> Response:
    """Asks the operator for approval."""
    text = form.one("text")
    if not _SHORTEST_TEXT <= len(text) <= LONGEST_TEXT:
        fault = language_of(request).say("developers.fault.approval_text", least=_SHORTEST_TEXT, most=LONGEST_TEXT)
        return await _page(request, developing, text=text, errors={"text": fault}, status=400)
    actor = developing.person.email
    await change_app(
        request, developing, lambda unit, client: request_approval(unit, client, text=text, asked_by=actor)
    )
    return back_to(request, developing, _TAB, done="approval_asked", fragment="approval")


@app_action
async def withdraw(request: Request, developing: Developing, form: Fields) -> Response:
    """Takes a wish back: for approval, or for a change of an approved app."""
    kind = form.one("kind")
    if kind not in {APP, CHANGE}:
        raise DomainError("invalid_request", 400, "kind: must be app or change")
    actor = developing.person.email
    await change_app(request, developing, lambda unit, client: withdraw_request(unit, client, kind, actor=actor))
    return back_to(request, developing, _TAB if kind == APP else "settings", done="approval_withdrawn")


async def _page(
    request: Request,
    developing: Developing,
    *,
    text: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    client = developing.client

    def look(unit: Unit) -> Facts:
        requests = list_approval_requests(unit, client_row_id=client.id, limit=20)
        return Facts(
            connected=count_connections(unit, client.id),
            store=find_store_by_id(unit, client.store_id) if client.store_id else None,
            asked={one.kind: one for one, _ in reversed(requests)},
        )

    facts = await runtime_of(request).database.transact(look, read_only=True)
    scopes = client.scope.split()
    return show_app(
        request,
        developing,
        "developers/overview.html",
        status,
        tab=_TAB,
        client=client,
        facts=facts,
        most=MOST_UNAPPROVED,
        wish=facts.asked.get(APP),
        change=facts.asked.get(CHANGE),
        sentences=[line for line in scope_lines(request) if line.name in scopes],
        text=text,
        errors=errors or {},
    )
