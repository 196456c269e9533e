"""Consent: what the app is, what it asks for, and the person's decision, made once for one form (RFC 6749, 4.1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authsrv.identity.sessions import SignedIn
from authsrv.identity.stores import KnownStore
from authsrv.kit.handles import Handle
from authsrv.oauth.authorization import (
    AuthorizationRefused,
    AuthorizationRequest,
    PersonSaidNo,
    UnprovenRequest,
)
from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.connecting import (
    MOST_UNAPPROVED,
    CannotConnect,
    NoStoreOfTheirs,
    StoresFull,
    closed_stores,
)
from authsrv.oauth.consent import Place, chosen_scopes, required_scopes, welcome_customer
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import DOCUMENT
from authsrv.storage.unit import Unit
from authsrv.web.authorizing import (
    CONSENT_FORM,
    authorize_path,
    fresh_since,
    judge_pairs,
    learn_client,
    named_store,
    read_pairs,
    send_code,
    send_refusal,
    show_unproven,
)
from authsrv.web.forms import read_form
from authsrv.web.page import page
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.sessions import find_signed_in, session_cookie
from authsrv.web.templates import error_page, language_of, link, render
from authsrv.web.trying import callback_uri

_FORM_LIVES = timedelta(minutes=30)
_TOLD: dict[str, type[CannotConnect]] = {refusal.why: refusal for refusal in (StoresFull, NoStoreOfTheirs)}


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A scope as the page shows it."""

    name: str
    sentence: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class StoreLine:
    """A store as the page offers it; one that is not open can be seen and not chosen."""

    prefix: str
    name: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What the page asks, of whom, and for where."""

    asked: AuthorizationRequest
    signed_in: SignedIn
    place: Place
    # The prefixes of those among the choices that the app cannot be connected to.
    closed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Form:
    """What a sent form was made for: it is bound to its session and request, and its grant can be made once.

    `told` is why the app cannot be connected, where the page told only that; empty where it asked. `face` and `offered`
    are the app and the prefixes of the stores that the person saw.
    """

    handle: Handle
    session_id: str
    pairs: list[tuple[str, str]]
    told: str
    face: str
    offered: list[str]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the person sent."""

    allows: bool
    ticked: list[str]
    store: str | None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The code to send, where to, and for which store."""

    asked: AuthorizationRequest
    code: str
    store: KnownStore | None


class StaleConsent(Exception):
    """The form is too old, was used before, or belongs to another session."""


@page
async def show(request: Request) -> Response:
    """The page, for a request that must be asked about; one that need not be goes back to where it came from."""
    pairs = read_pairs(request)
    runtime = runtime_of(request)
    await runtime.ensure_fresh()
    await learn_client(request, pairs)
    try:
        question = await runtime.database.transact(lambda unit: _question(unit, request, pairs))
    except UnprovenRequest as unproven:
        return show_unproven(request, unproven)
    except CannotConnect as refused:
        person = await find_signed_in(request)
        return _telling_page(request, refused, str(person.session_id) if person else "")
    except AuthorizationRefused as refused:
        return send_refusal(request, refused)
    if question is None:
        return RedirectResponse(authorize_path(request, pairs), 303, {"Cache-Control": "no-store"})
    return _page(request, question)


@page
async def decide(request: Request) -> Response:
    """`decision=allow` or `decision=deny`."""
    fields = await read_form(request)
    runtime = runtime_of(request)
    await runtime.ensure_fresh()
    form = _read_form(runtime, _first(fields, "request") or "")
    if form is None:
        return _stale(request, None)
    await learn_client(request, form.pairs)
    decision = Decision(
        allows=_first(fields, "decision") == "allow",
        ticked=[value for name, value in fields if name == "scope"],
        store=_first(fields, "store"),
    )
    try:
        decided = await runtime.database.transact(lambda unit: _decide(unit, request, form, decision))
        if isinstance(decided, PersonSaidNo):
            raise decided  # what that leaves behind is committed by now
    except StaleConsent:
        return _stale(request, form)
    except UnprovenRequest as unproven:
        return show_unproven(request, unproven)
    except CannotConnect as refused:
        # What changed while the page was open is told first; who was told goes back to the app with it.
        return send_refusal(request, refused) if form.told else _telling_page(request, refused, form.session_id)
    except AuthorizationRefused as refused:
        return send_refusal(request, refused)
    return send_code(request, decided.asked.back, decided.code, decided.store)


def _question(unit: Unit, request: Request, pairs: Sequence[tuple[str, str]]) -> Question | None:
    runtime = runtime_of(request)
    asked = judge_pairs(unit, request, pairs)
    signed_in = runtime.sessions.find(unit, session_cookie(request))
    since = fresh_since(request, asked, pairs)
    # Whoever comes here by themselves has not passed the authorization endpoint's door.
    if runtime.consents.needs_sign_in(asked, signed_in, since, unit.now()) or signed_in is None:
        return None
    if not runtime.consents.is_hinted(unit, asked, signed_in):
        return None
    standing = runtime.consents.standing(unit, asked, signed_in, named_store(unit, request))
    place = standing.place
    candidates = (place.store,) if place.store is not None else place.choices
    closed = closed_stores(unit, asked.client, candidates)
    if closed and len(closed) == len(candidates):
        raise StoresFull(asked)
    if not standing.needs_consent:
        return None
    return Question(asked, signed_in, standing.place, closed)


def _decide(unit: Unit, request: Request, form: Form, decision: Decision) -> Allowed | PersonSaidNo:
    """Judges the request anew, since much may have changed while the page was open, and stores the grant."""
    runtime = runtime_of(request)
    asked = judge_pairs(unit, request, form.pairs)
    signed_in = runtime.sessions.find(unit, session_cookie(request))
    is_own = signed_in is not None and str(signed_in.session_id) == form.session_id
    if signed_in is None or not is_own or form.handle.counter < int(unit.now().timestamp()):
        raise StaleConsent
    if form.told:
        raise _TOLD[form.told](asked)
    scopes = chosen_scopes(asked, decision.ticked) if decision.allows else []
    if not scopes:
        runtime.documents.keep(unit, asked.client)
        runtime.consents.refuse(unit, asked, signed_in, grant_id=form.handle.row_id, lives=_FORM_LIVES)
        said = "The person allowed none of it." if decision.allows else "The person said no."
        return PersonSaidNo(said, asked.back)
    place = runtime.consents.standing(unit, asked, signed_in, named_store(unit, request)).place
    store = _chosen_store(place, decision.store)
    _refuse_unseen(form, asked.client, store, decision.store)
    runtime.documents.keep(unit, asked.client)
    grant = runtime.consents.grant(unit, asked, signed_in, store=store, scopes=scopes, grant_id=form.handle.row_id)
    if grant is None:
        raise StaleConsent
    if asked.back.redirect_uri != callback_uri(request):
        # Who tries an app out becomes nobody's customer by that.
        welcome_customer(unit, signed_in, store)
    add_audit_event(
        unit,
        "grant.allowed",
        actor=signed_in.email,
        subject=asked.client.client_id,
        store=store.prefix if store else None,
        scope=" ".join(scopes),
    )
    return Allowed(asked, runtime.server.issuing.code_of(grant.id), store)


def _chosen_store(place: Place, prefix: str | None) -> KnownStore | None:
    if place.store is not None or not place.choices:
        return place.store
    chosen = next((store for store in place.choices if store.prefix == prefix), None)
    if chosen is None:
        raise StaleConsent
    return chosen


def _refuse_unseen(form: Form, client: RegisteredClient, store: KnownStore | None, chosen: str | None) -> None:
    """Raises StaleConsent where the page told of another app, or of none of the stores that it would be now."""
    prefix = store.prefix if store else None
    is_offered = prefix in form.offered if form.offered else prefix is None
    if form.face != _face_of(client) or not is_offered or chosen not in {None, prefix}:
        raise StaleConsent


def _face_of(client: RegisteredClient) -> str:
    """Another name or other redirect URIs are another; a time of change would differ at each look at a document."""
    return sha256(orjson.dumps([client.name, sorted(client.redirect_uris)])).hexdigest()


def _page(request: Request, question: Question) -> Response:
    asked, place = question.asked, question.place
    client = asked.client
    language = language_of(request)
    catalogue = runtime_of(request).server.scopes.by_name
    required = required_scopes(asked)
    scopes = [
        ScopeLine(name, language.sentence(name, catalogue[name].sentence), name in required) for name in asked.scopes
    ]
    parts = urlsplit(asked.back.redirect_uri)
    return render(
        request,
        "consent.html",
        app_name=client.name,
        app_initials=_initials(client.name),
        logo_url=client.logo_uri,
        developer=client.developer,
        described_at=urlsplit(client.client_id).netloc if client.origin == DOCUMENT else None,
        is_approved=client.is_approved,
        home_url=client.client_uri,
        policy_url=client.policy_uri,
        tos_url=client.tos_uri,
        store_name=place.store.name if place.store else None,
        stores=[StoreLine(store.prefix, store.name, store.prefix not in question.closed) for store in place.choices],
        most_stores=MOST_UNAPPROVED,
        scopes=scopes,
        request_token=_seal_form(request, asked, str(question.signed_in.session_id), place=place),
        action=link(request, "/consent"),
        email=question.signed_in.email,
        switch_url=_switch_url(request, asked),
        sees_staff=bool(asked.back.manner.roles),
        redirect_host=parts.netloc or f"{parts.scheme}:",
    )


def _telling_page(request: Request, refused: CannotConnect, session_id: str) -> Response:
    """Tells the person why the app cannot be connected; its button tells the app."""
    asked = refused.asked
    return render(
        request,
        "cannot_connect.html",
        403,
        key=f"cannot_connect.{refused.why}",
        app_name=asked.client.name,
        developer=asked.client.developer or asked.client.name,
        most_stores=MOST_UNAPPROVED,
        request_token=_seal_form(request, asked, session_id, told=refused.why),
        action=link(request, "/consent"),
        switch_url=_switch_url(request, asked) if refused.why == NoStoreOfTheirs.why else None,
    )


def _switch_url(request: Request, asked: AuthorizationRequest) -> str:
    return link(request, "/sign-in", next=authorize_path(request, asked.parameters), prompt="select_account")


def _seal_form(
    request: Request, asked: AuthorizationRequest, session_id: str, *, place: Place | None = None, told: str = ""
) -> str:
    runtime = runtime_of(request)
    expires_at = int((runtime.clock.now() + _FORM_LIVES).timestamp())
    stores = ((place.store,) if place.store else place.choices) if place else ()
    offered = [store.prefix for store in stores]
    attachment = orjson.dumps([session_id, asked.parameters, told, _face_of(asked.client), offered])
    return runtime.sealer.seal(CONSENT_FORM, Handle(runtime.identifiers.next(), expires_at, attachment))


def _read_form(runtime: Runtime, text: str) -> Form | None:
    handle = runtime.sealer.open(CONSENT_FORM, text)
    if handle is None:
        return None
    session_id, pairs, told, *seen = orjson.loads(handle.attachment)
    # A form that an earlier version of this server made has nothing to compare with, and counts as another app's.
    face, offered = seen or ("?", [])
    return Form(handle, session_id, [(name, value) for name, value in pairs], told, face, offered)


def _stale(request: Request, form: Form | None) -> Response:
    language = language_of(request)
    again = authorize_path(request, form.pairs) if form else link(request, "/account")
    action = (again, language.say("consent.stale_action"))
    return error_page(request, 400, "consent.stale_title", language.say("consent.stale_text"), action=action)


def _initials(name: str) -> str:
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def _first(fields: Sequence[tuple[str, str]], name: str) -> str | None:
    return next((value for field, value in fields if field == name and value), None)
