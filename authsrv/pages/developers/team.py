"""The team of an app: who is in it, who is invited, and how one joins and leaves."""

from collections.abc import Mapping
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.emails import normal_email
from authsrv.identity.invitations import find_invitation, take_invitation
from authsrv.identity.sessions import SignedIn
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.teams import NewInvitation, change_member, invite_member, remove_from_team, take_back
from authsrv.pages.developers.frame import app_path, back_to, show, show_app
from authsrv.pages.developers.guard import Developing, NoSuchApp, app_action, app_page, change_app, developer_page
from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_members import ADMIN, ROLES, VIEWER, add_member, list_members
from authsrv.storage.clients import Client, find_client_by_row
from authsrv.storage.invitations import INTO_APP, Invitation, list_open_invitations
from authsrv.storage.unit import Unit
from authsrv.web.fields import Fields, read_fields
from authsrv.web.invitation_mails import Invited, word_team_invitation
from authsrv.web.notices import send_notice
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of, redirect

_TAB = "team"


@app_page
async def show_team(request: Request, developing: Developing) -> Response:
    return await _page(request, developing)


@app_action
async def invite(request: Request, developing: Developing, form: Fields) -> Response:
    """Mails an invitation that only its addressee can take."""
    typed, role, say = form.one("email"), form.one("role") or VIEWER, language_of(request).say
    try:
        email = normal_email(typed)
    except DomainError:
        return await _page(request, developing, typed=typed, errors={"email": say("sign_in.email_wrong")}, status=400)
    if role not in ROLES:
        raise DomainError("invalid_request", 400, "role: must be admin or viewer")
    runtime, person = runtime_of(request), developing.person

    def work(unit: Unit, client: Client) -> NewInvitation:
        return invite_member(
            unit, runtime.sealer, client, email=email, role=role, invited_by=person.user_id, actor=person.email
        )

    try:
        invited = await change_app(request, developing, work)
    except DomainError as refused:
        if refused.code not in {"member_already", "too_many_invitations"}:
            raise
        fault = say(f"developers.fault.{refused.code}")
        return await _page(
            request, developing, typed=typed, errors={"email": fault}, status=refused.status, headers=refused.headers
        )
    told = Invited(email, into=developing.client.name, role=role, by=person.email, link=invited.link)
    sent = await send_notice(runtime.post, word_team_invitation(runtime.post, language_of(request), told))
    return back_to(request, developing, _TAB, done="invited" if sent else "invited_unsent")


@app_action
async def change_role(request: Request, developing: Developing, form: Fields) -> Response:
    user_id, role = _member_in(form), form.one("role")
    if role not in ROLES:
        raise DomainError("invalid_request", 400, "role: must be admin or viewer")
    actor = developing.person.email
    await change_app(
        request, developing, lambda unit, client: change_member(unit, client, user_id, role=role, actor=actor)
    )
    return back_to(request, developing, _TAB, done="role")


@app_action
async def remove(request: Request, developing: Developing, form: Fields) -> Response:
    """Takes somebody out, or leaves."""
    user_id, actor = _member_in(form), developing.person.email
    await change_app(request, developing, lambda unit, client: remove_from_team(unit, client, user_id, actor=actor))
    if user_id == developing.person.user_id:
        return redirect(request, "/developers", done="left")
    return back_to(request, developing, _TAB, done="removed")


@app_page
async def leave(request: Request, developing: Developing) -> Response:
    """A viewer leaves by themselves; an admin too, unless nobody else is one."""
    await read_fields(request)
    person, client = developing.person, developing.client
    await runtime_of(request).database.transact(
        lambda unit: remove_from_team(unit, client, person.user_id, actor=person.email)
    )
    return redirect(request, "/developers", done="left")


@app_action
async def revoke(request: Request, developing: Developing, form: Fields) -> Response:
    """Takes an invitation back."""
    invitation_id, actor = parse_uuid(form.one("invitation")), developing.person.email

    def work(unit: Unit, client: Client) -> bool:
        return invitation_id is not None and take_back(unit, client, invitation_id, actor=actor)

    revoked = await change_app(request, developing, work)
    return back_to(request, developing, _TAB, done="invitation_revoked" if revoked else "invitation_over")


@developer_page
async def ask_join(request: Request, person: SignedIn) -> Response:
    """What an invitation leads to, and the button that takes it."""
    text = request.path_params["invitation"]
    found = await runtime_of(request).database.transact(lambda unit: _invited(unit, request, text), read_only=True)
    if found is None:
        return show(request, person, "developers/invitation_over.html", 404)
    invitation, client = found
    return show(
        request,
        person,
        "developers/invitation.html",
        app_name=client.name,
        role=invitation.role,
        is_theirs=invitation.email == person.email,
        # Who follows a link that went to somebody else is not told to whom.
        expires_at=invitation.expires_at,
    )


@developer_page
async def join(request: Request, person: SignedIn) -> Response:
    """Takes the invitation, once, for who is signed in with its address."""
    await read_fields(request)
    text = request.path_params["invitation"]

    def work(unit: Unit) -> Client | None:
        found = _invited(unit, request, text)
        if found is None or not take_invitation(unit, found[0], person.email):
            return None
        invitation, client = found
        if add_member(unit, client_row_id=client.id, user_id=person.user_id, role=invitation.role):
            add_audit_event(unit, "member.joined", actor=person.email, subject=client.client_id, role=invitation.role)
        return client

    client = await runtime_of(request).database.transact(work)
    if client is None:
        return show(request, person, "developers/invitation_over.html", 404)
    return redirect(request, app_path(client.client_id), done="joined")


def _invited(unit: Unit, request: Request, text: str) -> tuple[Invitation, Client] | None:
    invitation = find_invitation(unit, runtime_of(request).sealer, text, INTO_APP)
    client = find_client_by_row(unit, invitation.target_id) if invitation else None
    return (invitation, client) if invitation and client else None


def _member_in(form: Fields) -> UUID:
    user_id = parse_uuid(form.one("member"))
    if user_id is None:
        raise NoSuchApp
    return user_id


async def _page(
    request: Request,
    developing: Developing,
    *,
    typed: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    row_id = developing.client.id
    members, invitations = await runtime_of(request).database.transact(
        lambda unit: (list_members(unit, row_id), list_open_invitations(unit, INTO_APP, row_id)), read_only=True
    )
    return show_app(
        request,
        developing,
        "developers/team.html",
        status,
        tab=_TAB,
        headers=headers,
        members=members,
        admins=sum(member.role == ADMIN for member in members),
        invitations=invitations,
        typed=typed,
        errors=errors or {},
    )
