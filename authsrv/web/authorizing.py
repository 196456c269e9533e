"""What all doors of authorization share: reading the request, proving its client, sending the answer back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.kit.handles import Handle, Purpose
from authsrv.oauth.authorization import (
    AuthorizationRefused,
    AuthorizationRequest,
    PersonSaidNo,
    UnprovenRequest,
    WayBack,
    with_parameters,
)
from authsrv.oauth.manners import STANDARD_MANNER, Manner
from authsrv.storage.unit import Unit
from authsrv.web.context import context_of
from authsrv.web.limits import RateLimited, address_key
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import error_page, language_of, link, render
from authsrv.web.trying import trial_uri

CONSENT_FORM = Purpose(9, "co_")
_FRESH_MARK = Purpose(10, "fs_")
# A sign-in with some resent codes, and a person who had to look for their mail.
_FRESH_LASTS = timedelta(minutes=30)
_MANNER_MARK = Purpose(15, "mn_")
# Ours, not the client's: a sign-in after this moment has answered its wish for a fresh one.
FRESH_SINCE = "_fresh_since"
# In which manner the door that took the request wants it judged and answered.
_MANNER = "_manner"
_NOBODY = UUID(int=0)
_MANNERS = TypeAdapter(Manner)
_MOST_PARAMETERS = 60
_LONGEST_REQUEST = 6000

Pairs = Sequence[tuple[str, str]]


def read_pairs(request: Request) -> list[tuple[str, str]]:
    """The parameters of the query in their order, repeated ones included. Raises DomainError for an unreadable one."""
    query = request.scope["query_string"]
    if len(query) > _LONGEST_REQUEST:
        raise DomainError("invalid_request", 414, "The request is too long.")
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise DomainError("invalid_request", 400, "The request is not readable.") from None


async def learn_client(request: Request, pairs: Pairs) -> None:
    """Fetches the document that describes the client, where it is described by one and it is time to.

    Raises RateLimited for who makes this server fetch too many.
    """
    runtime = runtime_of(request)
    documents, client_id = runtime.documents, next((value for name, value in pairs if name == "client_id"), "")
    if not documents.names(client_id) or not documents.is_due(client_id):
        return
    try:
        await runtime.limits.hit("registration_per_address", address_key(context_of(request).client_address))
    except RateLimited:
        if documents.recall(client_id) is None:
            raise
        return  # what is known does for a while
    await documents.prepare(client_id)


def judge_pairs(unit: Unit, request: Request, pairs: Pairs) -> AuthorizationRequest:
    """The authorization request. Raises UnprovenRequest or AuthorizationRefused."""
    runtime = runtime_of(request)
    asked = [(name, value) for name, value in pairs if name != FRESH_SINCE]
    rules = runtime.server.rules
    clients, documents = runtime.server.clients, runtime.documents
    client, redirect_uri = rules.prove_client(
        asked,
        lambda client_id: documents.find(unit, clients, client_id),
        own_uri=trial_uri(unit, request, asked),
    )
    return rules.judge(asked, client, redirect_uri, _manner_of(request, asked))


def named_store(unit: Unit, request: Request) -> KnownStore | None:
    """The store that host or path name, if any. Raises not_found for one that is not there."""
    prefix = context_of(request).store
    store = runtime_of(request).stores.find(unit, prefix) if prefix else None
    if prefix and store is None:
        # Never another store in its place.
        raise DomainError("not_found", 404, f"There is no store {prefix}.")
    return store


def in_manner(request: Request, pairs: Pairs, manner: Manner) -> list[tuple[str, str]]:
    """The request with the manner, sealed, in which it is to be judged and answered wherever it goes on."""
    mark = Handle(_NOBODY, 0, _MANNERS.dump_json(manner))
    own = [(name, value) for name, value in pairs if name != _MANNER]
    return [*own, (_MANNER, runtime_of(request).sealer.seal(_MANNER_MARK, mark))]


def _manner_of(request: Request, pairs: Pairs) -> Manner:
    text = next((value for name, value in pairs if name == _MANNER), None)
    mark = runtime_of(request).sealer.open(_MANNER_MARK, text) if text else None
    if mark is None:
        return STANDARD_MANNER
    return _MANNERS.validate_json(mark.attachment)


def mark_fresh(request: Request, asked: AuthorizationRequest) -> tuple[str, str]:
    """The parameter that remembers, sealed for this client, since when a sign-in counts as the fresh one it wants."""
    runtime = runtime_of(request)
    mark = Handle(asked.client.row_id, int(runtime.clock.now().timestamp()))
    return FRESH_SINCE, runtime.sealer.seal(_FRESH_MARK, mark)


def fresh_since(request: Request, asked: AuthorizationRequest, pairs: Pairs) -> datetime | None:
    """When a fresh sign-in was asked for on behalf of this client.

    What we did not seal counts as nothing, and so does an old mark, or it would open every later request as well.
    """
    runtime = runtime_of(request)
    text = next((value for name, value in pairs if name == FRESH_SINCE), "")
    mark = runtime.sealer.open(_FRESH_MARK, text)
    if mark is None or mark.row_id != asked.client.row_id:
        return None
    since = datetime.fromtimestamp(mark.counter, UTC)
    return since if since > runtime.clock.now() - _FRESH_LASTS else None


def authorize_path(request: Request, pairs: Pairs) -> str:
    """Back to the authorization endpoint with the same request."""
    return f"{link(request, '/oauth/authorize').partition('?')[0]}?{urlencode(pairs)}"


def send_code(request: Request, back: WayBack, code: str, store: KnownStore | None) -> Response:
    """The code, with `state` and `iss` (RFC 6749, 4.1.2; RFC 9207, 2), and the store where the manner names it."""
    answer = [("code", code)]
    if back.manner.store_parameter and store is not None:
        answer.append((back.manner.store_parameter, store.prefix))
    return _send(request, back, answer)


def send_refusal(request: Request, refused: AuthorizationRefused) -> Response:
    """The error, with `state` and `iss` (RFC 6749, 4.1.2.1; RFC 9207, 2)."""
    answer = [("error", refused.error)]
    if refused.back.manner.explains_denial or not isinstance(refused, PersonSaidNo):
        answer.append(("error_description", refused.description))
    return _send(request, refused.back, answer)


def show_unproven(request: Request, unproven: UnprovenRequest) -> Response:
    """A page: nothing may be sent to a client, or a URI, that nobody vouches for (RFC 6749, 4.1.2.1)."""
    language = language_of(request)
    text = language.say(f"unproven.{unproven.reason}")
    return error_page(request, 400, "unproven.title", text, advice=language.say("unproven.advice"))


def _send(request: Request, back: WayBack, answer: list[tuple[str, str]]) -> Response:
    if back.state is not None:
        answer.append(("state", back.state))
    if back.manner.names_issuer:
        answer.append(("iss", runtime_of(request).settings.issuer))
    if back.response_mode == "form_post":
        return render(request, "form_post.html", action=back.redirect_uri, fields=answer)
    location = with_parameters(back.redirect_uri, answer)
    return RedirectResponse(location, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
