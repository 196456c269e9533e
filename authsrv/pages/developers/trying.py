"""Try it: the app's own flow with PKCE in this browser, and every request and answer of it, tokens decoded.

We know no client's secret. So the token requests of a trial are made within the house, as the app, on the strength of
its admin's session; and whatever was issued is revoked before the page is shown.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authsrv.identity.sessions import SignedIn
from authsrv.oauth.grants.authorization_code import challenge_of
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.oauth.requests import ProtocolRequest
from authsrv.pages.developers.exchanges import Exchange, decoded_tokens, pretty
from authsrv.pages.developers.frame import show_app
from authsrv.pages.developers.guard import (
    Developing,
    NoSuchApp,
    app_action,
    app_page,
    change_app,
    developer_page,
    refuse_viewer,
)
from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_members import find_app_by_row
from authsrv.storage.clients import Client
from authsrv.storage.grants import revoke_grant
from authsrv.storage.unit import Unit
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import redirect
from authsrv.web.trying import Trial, begin_trial, callback_uri, end_trial, find_trial

_TAB = "try"


@app_page
async def show(request: Request, developing: Developing) -> Response:
    """What a trial does, and the button that begins it."""
    scopes = runtime_of(request).server.scopes.for_people(developing.client.scope.split())
    return show_app(request, developing, "developers/try.html", tab=_TAB, scopes=scopes)


@app_action
async def begin(request: Request, developing: Developing, form: Fields) -> Response:
    """Sends the browser off with the app's own request; a service, which has nobody to send, gets its token at once."""
    if "authorization_code" not in developing.client.grant_types:
        return await _try_service(request, developing)
    runtime = runtime_of(request)
    own = runtime.server.scopes.for_people(developing.client.scope.split())
    scopes = [scope for scope in own if scope in form.all("scope")] or own
    verifier, state = _random(request), _random(request)
    query = {
        "response_type": "code",
        "client_id": developing.client.client_id,
        "redirect_uri": callback_uri(request),
        "scope": " ".join(scopes),
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        # Whoever tries it wants to see what people see.
        "prompt": "consent",
    }
    url = f"{runtime.settings.issuer}{runtime.metadata_paths['authorization_endpoint']}?{urlencode(query)}"
    response = RedirectResponse(url, 303, {"Cache-Control": "no-store"})
    session_id = str(developing.person.session_id)
    begin_trial(request, response, Trial(developing.client.id, session_id, state, verifier, url))
    return response


@developer_page
async def finish(request: Request, person: SignedIn) -> Response:
    """What came back, what the app would make of it, and what it would get."""
    trial, query = find_trial(request), request.query_params
    if trial is None or trial.session_id != str(person.session_id) or query.get("state") != trial.state:
        return redirect(request, "/developers", done="trial_over")
    runtime = runtime_of(request)
    found = await runtime.database.transact(
        lambda unit: find_app_by_row(unit, trial.client_row_id, person.user_id), read_only=True
    )
    if found is None:
        raise NoSuchApp
    developing = Developing(person, *found)
    refuse_viewer(developing)
    exchanges = [_authorization(trial.url), _way_back(request)]
    code = query.get("code")
    if code is not None:
        exchanges += await change_app(
            request, developing, lambda unit, _: _redeem(unit, request, developing, trial, code)
        )
    response = _page(request, developing, exchanges)
    end_trial(request, response)
    return response


async def _try_service(request: Request, developing: Developing) -> Response:
    def work(unit: Unit, client: Client) -> list[Exchange]:
        form = [("grant_type", "client_credentials")]
        exchange, body = _ask_for_tokens(unit, request, client, form, key="token")
        if "access_token" in body:
            _revoke(unit, request, client, body["access_token"])
        _note(unit, client, developing.person)
        return [exchange]

    return _page(request, developing, await change_app(request, developing, work))


def _redeem(unit: Unit, request: Request, developing: Developing, trial: Trial, code: str) -> list[Exchange]:
    """The code for tokens, a refresh if there is something to refresh with, and the end of all of it."""
    issuing, client = runtime_of(request).server.issuing, developing.client
    _note(unit, client, developing.person)
    form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", callback_uri(request)),
        ("code_verifier", trial.verifier),
    ]
    exchange, body = _ask_for_tokens(unit, request, client, form, key="token")
    exchanges = [exchange]
    if "refresh_token" in body:
        again = [("grant_type", "refresh_token"), ("refresh_token", body["refresh_token"])]
        exchanges.append(_ask_for_tokens(unit, request, client, again, key="refresh")[0])
    handle = issuing.read_code(code)
    if "access_token" in body and handle is not None:
        revoke_grant(unit, handle.row_id, unit.now() + LONGEST_TOKEN)
    return exchanges


def _ask_for_tokens(
    unit: Unit, request: Request, client: Client, form: list[tuple[str, str]], *, key: str
) -> tuple[Exchange, dict[str, Any]]:
    """A token request of the app's, answered by the engine as any other but for the authentication."""
    runtime = runtime_of(request)
    uri = runtime.settings.issuer + runtime.metadata_paths["token_endpoint"]
    vouched = runtime.server.clients.find(unit, client.client_id)
    status, body, _ = runtime.server.answer_token_request(
        lambda: ProtocolRequest(unit, method="POST", uri=uri, headers={}, form=form, vouched=vouched)
    )
    return Exchange(key, "POST", uri, form, status, pretty(body), decoded_tokens(body)), body


def _revoke(unit: Unit, request: Request, client: Client, token: str) -> None:
    runtime = runtime_of(request)
    uri = runtime.settings.issuer + runtime.metadata_paths["revocation_endpoint"]
    vouched = runtime.server.clients.find(unit, client.client_id)
    form = [("token", token)]
    runtime.server.answer_revocation(
        lambda: ProtocolRequest(unit, method="POST", uri=uri, headers={}, form=form, vouched=vouched)
    )


def _authorization(url: str) -> Exchange:
    parts = urlsplit(url)
    return Exchange("authorize", "GET", f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qsl(parts.query))


def _way_back(request: Request) -> Exchange:
    return Exchange("callback", "GET", callback_uri(request), list(request.query_params.multi_items()))


def _note(unit: Unit, client: Client, person: SignedIn) -> None:
    add_audit_event(unit, "client.tried", actor=person.email, subject=client.client_id)


def _page(request: Request, developing: Developing, exchanges: Sequence[Exchange]) -> Response:
    method = "none" if developing.client.token_endpoint_auth_method == "none" else "secret"
    return show_app(request, developing, "developers/tried.html", tab=_TAB, exchanges=exchanges, method=method)


def _random(request: Request) -> str:
    return urlsafe_b64encode(runtime_of(request).entropy.token_bytes(32)).rstrip(b"=").decode()
