"""`/account`: a person's name, the apps they connected, their API passwords, and where they are signed in."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.customer_api import ApiPassword
from authsrv.identity.people import rename_person
from authsrv.identity.sessions import SignedIn
from authsrv.identity.signing_out import sign_out_everywhere, sign_out_session
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.pages.agents import name_agent
from authsrv.storage.audit import add_audit_event
from authsrv.storage.grants import UserGrant, list_user_grants, revoke_user_grants
from authsrv.storage.lookups import find_areas
from authsrv.storage.personal_clients import PersonalClient, list_personal_clients
from authsrv.storage.sessions import Session
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from authsrv.web.once import once_token
from authsrv.web.page import page, personal, read_page_form
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.templates import language_of, redirect, render
from authsrv.web.texts import Language

# What `?done=` may say; anything else is not repeated.
_DONE = frozenset({"name", "session", "others", "app", "password", "nothing"})


@dataclass(frozen=True, slots=True)
class ShownApp:
    """A connected app as the page shows it; `sentences` say what it may do."""

    grant: UserGrant
    store_name: str | None
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class ShownSession:
    """A session as the page shows it."""

    id: UUID
    browser: str
    how: str
    address: str
    since: datetime
    seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class MadePassword:
    """An API password just made for this store."""

    store_id: UUID
    password: ApiPassword


@page
async def lead_there(request: Request) -> Response:
    """`/`: whoever comes to the front door wants their account."""
    return redirect(request, "/account")


@personal
async def show(request: Request, person: SignedIn) -> Response:
    return await account_page(request, person, name=person.name)


@personal
async def change_name(request: Request, person: SignedIn) -> Response:
    form = await read_page_form(request)
    name = form.get("name", "")

    def save(unit: Unit) -> None:
        user = find_user_by_id(unit, person.user_id)
        if user is not None:
            rename_person(unit, user, name)

    try:
        await runtime_of(request).database.transact(save)
    except DomainError as refused:
        if refused.code != "name_too_long":
            raise
        return await account_page(request, person, name=name, error="account.name_too_long", status=refused.status)
    return redirect(request, "/account", done="name")


@personal
async def end_session(request: Request, person: SignedIn) -> Response:
    """Ends one other session, or all others."""
    form = await read_page_form(request)
    sessions, user_id, email = runtime_of(request).sessions, person.user_id, person.email
    asked = form.get("session", "")

    def end(unit: Unit) -> str:
        if asked == "others":
            sign_out_everywhere(unit, sessions, user_id, kept=person.session_id, email=email, actor=email)
            return "others"
        session_id = parse_uuid(asked)
        if session_id is None or not sign_out_session(unit, sessions, user_id, session_id, email=email, actor=email):
            return "nothing"
        return "session"

    return redirect(request, "/account", done=await runtime_of(request).database.transact(end))


@personal
async def disconnect(request: Request, person: SignedIn) -> Response:
    """Ends all that one app may do for the person in one store."""
    form = await read_page_form(request)
    client_id, store = form.get("client_id", ""), form.get("store") or None

    def end(unit: Unit) -> bool:
        ended = revoke_user_grants(unit, person.user_id, client_id, store, unit.now() + LONGEST_TOKEN)
        if ended:
            add_audit_event(
                unit, "app.disconnected", actor=person.email, subject=person.email, client=client_id, store=store
            )
        return bool(ended)

    ended = await runtime_of(request).database.transact(end)
    return redirect(request, "/account", done="app" if ended else "nothing")


async def account_page(
    request: Request,
    person: SignedIn,
    *,
    name: str,
    error: str | None = None,
    made: MadePassword | None = None,
    status: int = 200,
) -> Response:
    """The page; `made` is an API password to be shown this once."""
    runtime, language = runtime_of(request), language_of(request)

    def look(unit: Unit) -> tuple[list[ShownApp], list[Session], list[PersonalClient], list[str]]:
        apps = [_shown_app(unit, language, runtime, grant) for grant in list_user_grants(unit, person.user_id)]
        sessions = runtime.sessions.list_living(unit, person.user_id)
        areas = find_areas(unit, person.user_id)
        return apps, sessions, list_personal_clients(unit, person.user_id), areas

    apps, sessions, passwords, areas = await runtime.database.transact(look, read_only=True)
    done = request.query_params.get("done")
    shown = sorted((_shown(language, person, session) for session in sessions), key=lambda one: not one.is_this)
    return render(
        request,
        "account.html",
        status,
        person=person,
        name=name,
        error=error,
        areas=areas,
        apps=apps,
        sessions=shown,
        passwords=passwords,
        made=made,
        once=partial(once_token, request),
        done=done if done in _DONE else None,
    )


def _shown(language: Language, person: SignedIn, session: Session) -> ShownSession:
    agent = name_agent(session.user_agent)
    how = "pwd" if "pwd" in session.amr.split() else "otp"
    return ShownSession(
        id=session.id,
        browser=language.say("account.agent_on", **agent) if agent else language.say("account.agent_unknown"),
        how=language.say(f"account.session_how_{how}"),
        address=session.address,
        since=session.auth_time,
        seen_at=session.seen_at,
        is_this=session.id == person.session_id,
    )


def _shown_app(unit: Unit, language: Language, runtime: Runtime, grant: UserGrant) -> ShownApp:
    store = runtime.stores.find(unit, grant.store) if grant.store else None
    catalogue = {name: scope.sentence for name, scope in runtime.server.scopes.by_name.items()}
    sentences = [language.sentence(scope, catalogue.get(scope, scope)) for scope in grant.scopes]
    return ShownApp(grant, store.name if store else None, sentences)
