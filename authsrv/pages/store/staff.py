"""Who works in a store: invited by mail, joined by the link in it, removed by an owner or by themselves."""

from collections.abc import Mapping
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.emails import normal_email
from authsrv.identity.invitations import find_invitation
from authsrv.identity.sessions import SignedIn
from authsrv.identity.staff import ROLES, invite_staff, join_staff, remove_staff, take_back
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.pages.store.frame import back_to, show_store, store_path
from authsrv.pages.store.guard import OwnersOnly, Working, change_store, owner_action, staff_action, store_page
from authsrv.storage.invitations import INTO_STORE, Invitation, list_open_invitations
from authsrv.storage.store_people import StorePerson, list_staff
from authsrv.storage.stores import Store, find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.storage.users import OWNER, STAFF, find_user_by_id
from authsrv.web.fields import Fields, read_fields
from authsrv.web.invitation_mails import Invited, word_staff_invitation
from authsrv.web.notices import send_notice
from authsrv.web.page import personal
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of, redirect, render


@store_page
async def show(request: Request, working: Working) -> Response:
    return await _page(request, working)


@owner_action
async def invite(request: Request, working: Working, form: Fields) -> Response:
    """Mails an invitation that only its addressee can take."""
    typed, role, say = form.one("email"), form.one("role") or STAFF, language_of(request).say
    if role not in ROLES:
        raise DomainError("invalid_request", 400, "role: must be staff or owner")
    runtime, person = runtime_of(request), working.person
    try:
        email = normal_email(typed)
        link = await change_store(
            request,
            working,
            lambda unit, store: invite_staff(
                unit, runtime.sealer, store, email=email, role=role, invited_by=person.user_id, actor=person.email
            ),
        )
    except DomainError as refused:
        if refused.code not in {"invalid_email", "works_already", "too_many_invitations"}:
            raise
        fault = say("sign_in.email_wrong" if refused.code == "invalid_email" else f"store.fault.{refused.code}")
        return await _page(
            request, working, typed=typed, role=role, error=fault, status=refused.status, headers=refused.headers
        )
    told = Invited(email, into=working.store.name, role=role, by=person.email, link=link)
    sent = await send_notice(runtime.post, word_staff_invitation(runtime.post, language_of(request), told))
    return back_to(request, working, "/staff", "invited" if sent else "invited_unsent")


@owner_action
async def revoke(request: Request, working: Working, form: Fields) -> Response:
    """Takes an invitation back."""
    invitation_id, actor = parse_uuid(form.one("invitation")), working.person.email

    def work(unit: Unit, store: Store) -> bool:
        return invitation_id is not None and take_back(unit, store, invitation_id, actor=actor)

    revoked = await change_store(request, working, work)
    return back_to(request, working, "/staff", "invitation_revoked" if revoked else "nothing")


@staff_action
async def remove(request: Request, working: Working, form: Fields) -> Response:
    """An owner removes somebody; anybody leaves by themselves, but for the last owner."""
    user_id, person = parse_uuid(form.one("person")), working.person
    is_self = user_id == person.user_id
    if not is_self and not working.is_owner:
        raise OwnersOnly

    def work(unit: Unit, store: Store) -> None:
        remove_staff(unit, store, user_id or UUID(int=0), actor=person.email)

    try:
        await change_store(request, working, work, by_staff=is_self)
    except DomainError as refused:
        if refused.code != "last_owner":
            raise
        error = language_of(request).say("store.fault.last_owner")
        return await _page(request, working, summary=error, status=refused.status)
    return redirect(request, "/account") if is_self else back_to(request, working, "/staff", "removed")


@personal
async def ask_join(request: Request, person: SignedIn) -> Response:
    """What an invitation leads to, and the button that takes it."""
    found = await runtime_of(request).database.transact(lambda unit: _invited(unit, request), read_only=True)
    if found is None:
        return render(request, "store/invitation_over.html", 404, person=person)
    invitation, store = found
    is_theirs = invitation.email == person.email
    # Who follows a link that went to somebody else is not told to whom.
    return render(
        request, "store/invitation.html", person=person, store=store, role=invitation.role, is_theirs=is_theirs
    )


@personal
async def join(request: Request, person: SignedIn) -> Response:
    """Takes the invitation, once, for who is signed in with its address."""
    await read_fields(request)

    def work(unit: Unit) -> Store | None:
        found, user = _invited(unit, request), find_user_by_id(unit, person.user_id)
        if found is None or user is None:
            return None
        invitation, store = found
        return store if join_staff(unit, invitation, store, user) else None

    store = await runtime_of(request).database.transact(work)
    if store is None:
        return render(request, "store/invitation_over.html", 404, person=person)
    return redirect(request, store_path(store.prefix), done="joined")


def _invited(unit: Unit, request: Request) -> tuple[Invitation, Store] | None:
    invitation = find_invitation(unit, runtime_of(request).sealer, request.path_params["invitation"], INTO_STORE)
    store = find_store_by_id(unit, invitation.target_id) if invitation else None
    return (invitation, store) if invitation and store else None


async def _page(
    request: Request,
    working: Working,
    *,
    typed: str = "",
    role: str = STAFF,
    error: str | None = None,
    summary: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`error` stands at the address, `summary` above the list."""
    store_id = working.store.id

    def look(unit: Unit) -> tuple[list[StorePerson], list[Invitation]]:
        return list_staff(unit, store_id), list_open_invitations(unit, INTO_STORE, store_id)

    staff, invitations = await runtime_of(request).database.transact(look, read_only=True)
    return show_store(
        request,
        working,
        "store/staff.html",
        status,
        tab="staff",
        headers=headers,
        staff=staff,
        owners=sum(one.role == OWNER for one in staff),
        invitations=invitations,
        roles=ROLES,
        typed=typed,
        role=role,
        error=error or summary,
        field_error=error,
        summary=summary,
    )
