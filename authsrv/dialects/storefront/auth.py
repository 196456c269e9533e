"""`/auth`: an e-mail address brings a code, the code brings tokens, and a refresh token brings the next ones."""

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.storefront.answers import JSON, answer, nothing
from authsrv.dialects.storefront.bodies import Body, ShortLine, read_body
from authsrv.dialects.storefront.shop_client import client_id_of, wanted_client
from authsrv.dialects.storefront.voice import Unprocessable
from authsrv.identity.emails import normal_email
from authsrv.identity.sign_in import CodeMail, NoTriesLeft, SignInOver, WrongCode
from authsrv.kit.errors import DomainError
from authsrv.kit.mail import MailAway
from authsrv.oauth.own_clients import admit, ensure_own_client
from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.server import Answer
from authsrv.storage.email_codes import find_newest_email_code
from authsrv.storage.unit import Unit
from authsrv.web.clients import look_up_client
from authsrv.web.code_mails import send_code
from authsrv.web.context import context_of
from authsrv.web.limits import address_key, note_allowance
from authsrv.web.runtime import Runtime, runtime_of
from authsrv.web.sign_in_limits import refuse_flood, refuse_mail_flood
from authsrv.web.store_hosts import get_store, prefix_of
from authsrv.web.templates import language_of
from authsrv.web.usage import REFRESH, TOKEN, note_refusal, note_use

# No browser holds the sign-in together, so its codes are kept apart from those that a browser asked for.
_PURPOSE = "code_only"
_SENT = {"message": "Code sent"}


class _User(Body):
    email: str = Field(max_length=400)
    code: str | None = Field(None, max_length=40)
    refresh_token: str | None = Field(None, max_length=2000)
    first_name: ShortLine = ""
    last_name: ShortLine = ""


class _Sent(Body):
    user: _User


async def sign_in(request: Request) -> Response:
    """`POST /auth`: what comes with the address says which of the three it is."""
    user = (await read_body(request, _Sent)).user
    try:
        email = normal_email(user.email)
    except DomainError as fault:
        raise Unprocessable(fault.description, {"email": [fault.description]}) from None
    if user.refresh_token is not None:
        return await _refresh(request, email, user.refresh_token)
    if user.code is not None:
        return await _redeem(request, email, user.code)
    return await _send_code(request, email, user)


async def sign_out(request: Request) -> Response:
    """`DELETE /auth/{token}`: a refresh token ends with all its access tokens, an access token alone; 204 for any."""
    runtime, prefix = runtime_of(request), prefix_of(request)
    form = [("token", request.path_params["token"]), ("client_id", client_id_of(prefix))]
    await _ask(runtime, runtime.server.answer_revocation, "/oauth/revoke", form)
    return nothing()


async def _send_code(request: Request, email: str, user: _User) -> Response:
    """The same for every address, known or not."""
    await refuse_flood(request)
    await refuse_mail_flood(request, prefix_of(request))
    runtime = runtime_of(request)

    def begin(unit: Unit) -> tuple[CodeMail, str]:
        store = get_store(runtime, unit, prefix_of(request))
        code = runtime.sign_ins.begin(
            unit,
            email,
            purpose=_PURPOSE,
            store_id=store.id,
            first_name=user.first_name,
            last_name=user.last_name,
        )
        return code, store.name

    code, shop = await runtime.database.transact(begin)
    try:
        await send_code(runtime, language_of(request), code, shop=shop, in_browser=False)
    except MailAway:
        await runtime.database.transact(lambda unit: runtime.sign_ins.drop(unit, code.sign_in_id))
        raise
    return answer(_SENT, media_type=JSON)


async def _redeem(request: Request, email: str, typed: str) -> Response:
    """Tokens for the newest code that was mailed to the address; a try is counted before it is compared."""
    runtime, prefix = runtime_of(request), prefix_of(request)
    await _count(request, runtime, TOKEN)
    code = "".join(typed.split())

    def confirm(unit: Unit) -> dict[str, Any]:
        store = get_store(runtime, unit, prefix)
        row = find_newest_email_code(unit, email, _PURPOSE, store.id)
        if row is None:
            raise SignInOver("no code is under way")
        person = runtime.sign_ins.confirm(unit, row.id, code, purpose=_PURPOSE, store_id=store.id)
        client = ensure_own_client(unit, runtime.server.clients, store, wanted_client(prefix), person)
        server = runtime.server
        return admit(unit, server.issuing, server.lifetimes, client, store=store, person=person, amr=("otp",))

    try:
        body = await runtime.database.transact(confirm)
    except (WrongCode, NoTriesLeft, SignInOver):
        note_refusal(request.scope, "invalid_grant")
        # One text for all: it tells nobody whether a code is under way.
        fault = "is not right, or has expired"
        raise Unprocessable(f"The code {fault}.", {"code": [fault]}) from None
    return _tokens(runtime, body)


async def _refresh(request: Request, email: str, refresh_token: str) -> Response:
    runtime, prefix = runtime_of(request), prefix_of(request)
    await _count(request, runtime, REFRESH)
    form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        ("client_id", client_id_of(prefix)),
        ("email", email),
    ]
    status, body, _ = await _ask(runtime, runtime.server.answer_token_request, "/oauth/token", form)
    if status != 200:
        note_refusal(request.scope, body["error"])
        raise DomainError("unauthorized", 401, "The refresh token is invalid, has expired, or is another person's.")
    return _tokens(runtime, body)


async def _ask(runtime: Runtime, engine: Any, path: str, form: list[tuple[str, str]]) -> Answer:
    """The engine's answer to what the standard endpoint at `path` would have been sent."""
    await runtime.ensure_fresh()
    uri = runtime.settings.issuer + path

    def work(unit: Unit) -> Answer:
        asked: Answer = engine(lambda: ProtocolRequest(unit, method="POST", uri=uri, headers={}, form=form))
        return asked

    return await runtime.database.transact(work)


async def _count(request: Request, runtime: Runtime, kind: str) -> None:
    """As at the token endpoint: anybody can name a public client, so each address has a quota. Raises RateLimited."""
    client = await look_up_client(runtime, client_id_of(prefix_of(request)))
    key = f"address {address_key(context_of(request).client_address)}"
    if client is not None:
        # Not before it is known: stores can be made up without end.
        note_use(request.scope, client.client_id, kind)
        key = f"client {client.client_id} {key}"
    limit = client.token_limit if client else None
    note_allowance(request, await runtime.limits.hit("token_per_client", key, limit))


def _tokens(runtime: Runtime, body: dict[str, Any]) -> Response:
    token = runtime.server.tokens.recognise(body["access_token"])
    return answer(
        {
            "access_token": body["access_token"],
            "token_type": body["token_type"],
            "expires_in": body["expires_in"],
            "refresh_token": body["refresh_token"],
            "created_at": token.issued_at if token else None,
        },
        media_type=JSON,
    )
