"""`/operator/apps`: every app, one app with all that is known of it, and what can be done to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.approvals import face_of, is_as_seen
from authsrv.oauth.registration import approve_client, resume_client, status_of, suspend_client
from authsrv.pages.desk import show_desk
from authsrv.pages.leafing import PAGE, before_of, cut, words_of
from authsrv.pages.operator.acts import Asked, ask, fault_of, reason_in
from authsrv.pages.operator.frame import DESK
from authsrv.pages.operator.guard import not_there, operator_page, weighty_action, weighty_page
from authsrv.storage.audit import list_audit_events
from authsrv.storage.client_members import list_members
from authsrv.storage.clients import MADE, Client, find_client, find_client_by_row
from authsrv.storage.connections import count_connections
from authsrv.storage.lookups import count_living_grants, search_clients
from authsrv.storage.stores import find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import redirect

_EVENTS = 20


@dataclass(frozen=True, slots=True)
class AppAct:
    """Done by an operator for a reason; only to an app in one of these states."""

    do: Callable[..., None]
    states: tuple[str, ...]
    is_danger: bool = False
    # Whether it is only for the app as the operator saw it.
    as_seen: bool = False


ACTS = {
    "approve": AppAct(approve_client, ("not_approved",), as_seen=True),
    "suspend": AppAct(suspend_client, ("not_approved", "approved"), is_danger=True),
    "resume": AppAct(resume_client, ("suspended",)),
}


@operator_page
async def search(request: Request, person: SignedIn) -> Response:
    words, before = words_of(request), before_of(request)

    def look(unit: Unit) -> list[tuple[Client, str]]:
        return search_clients(unit, words, before=before, limit=PAGE + 1)

    rows, has_more = cut(await runtime_of(request).database.transact(look, read_only=True))
    shown = [(client, email if client.origin == MADE else None, status_of(client)) for client, email in rows]
    last = rows[-1][0].id if rows else None
    return show_desk(
        request, person, DESK, "operator/apps.html", tab="apps", words=words, apps=shown, has_more=has_more, last=last
    )


@operator_page
async def show(request: Request, person: SignedIn) -> Response:
    def look(unit: Unit) -> dict[str, Any]:
        client = get_app(unit, request)
        store = find_store_by_id(unit, client.store_id) if client.store_id else None
        return {
            "app": client,
            "state": status_of(client),
            "store": store,
            "team": list_members(unit, client.id),
            "stores": count_connections(unit, client.id),
            "grants": count_living_grants(unit, client_row_id=client.id),
            "events": list_audit_events(unit, subject=client.client_id, limit=_EVENTS),
        }

    found = await runtime_of(request).database.transact(look, read_only=True)
    acts = [(key, act.is_danger) for key, act in ACTS.items() if found["state"] in act.states]
    return show_desk(request, person, DESK, "operator/app.html", tab="apps", acts=acts, **found)


@weighty_page
async def ask_act(request: Request, person: SignedIn) -> Response:
    client = await runtime_of(request).database.transact(lambda unit: get_app(unit, request), read_only=True)
    key, act = _act(request)
    if status_of(client) not in act.states:
        return redirect(request, path_of(client), done="nothing")
    return ask(request, person, _asked(client, key, act))


@weighty_action
async def do_act(request: Request, person: SignedIn, fields: Fields) -> Response:
    key, act = _act(request)
    reason = reason_in(fields)

    def do(unit: Unit) -> tuple[Client, str]:
        client = get_app(unit, request)
        if status_of(client) not in act.states:
            return client, "nothing"
        if act.as_seen and not is_as_seen(unit, client, fields.one("seen")):
            return client, "changed_since"
        if fault_of(reason) is None:
            act.do(unit, client, actor=person.email, reason=reason)
        return client, f"app_{key}"

    client, done = await runtime_of(request).database.transact(do)
    if done not in {"nothing", "changed_since"} and (fault := fault_of(reason)):
        return ask(request, person, _asked(client, key, act), reason=reason, error=fault, status=400)
    return redirect(request, path_of(client), done=done)


def get_app(unit: Unit, request: Request) -> Client:
    """The app that the path names. Raises not_found."""
    client_id = request.path_params["app"]
    client = find_client(unit, client_id) if "\0" not in client_id else None
    if client is None and (row_id := parse_uuid(client_id)) is not None:
        client = find_client_by_row(unit, row_id)
    if client is None:
        raise not_there()
    return client


def path_of(client: Client) -> str:
    return f"/operator/apps/{client.path_name}"


def _act(request: Request) -> tuple[str, AppAct]:
    key = request.path_params["act"]
    if key not in ACTS:
        raise not_there()
    return key, ACTS[key]


def _asked(client: Client, key: str, act: AppAct) -> Asked:
    path = path_of(client)
    return Asked(f"app_{key}", "apps", client.name, path, f"{path}/{key}", act.is_danger, face_of(client))
