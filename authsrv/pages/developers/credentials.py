"""Credentials: the client's id, its secrets and keys, and samples that work as pasted."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.client_changes import change_keys, change_to_secrets
from authsrv.oauth.client_secrets import MOST_SECRETS, add_second_secret, end_secret
from authsrv.oauth.registration import RefusedUri, has_secret_method
from authsrv.pages.developers.frame import back_to, show_app
from authsrv.pages.developers.guard import Developing, app_action, app_page, change_app
from authsrv.pages.developers.samples import samples_for
from authsrv.storage.clients import Client, ClientSecret, list_live_secrets
from authsrv.storage.unit import Unit
from authsrv.web.fields import Fields
from authsrv.web.once import SentBefore, once_id, once_token
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of

_TAB = "credentials"
# How long an old secret may live on, as the form offers it; in days.
LIVES_ON = (1, 7, 30, 90)
_LONGEST_JWKS = 40_000


@app_page
async def show(request: Request, developing: Developing) -> Response:
    return await credentials_page(request, developing)


@app_action
async def add(request: Request, developing: Developing, form: Fields) -> Response:
    """A second secret, shown in this answer and never again."""
    entropy, secret_id = runtime_of(request).entropy, once_id(request, form)

    def work(unit: Unit, client: Client) -> str:
        try:
            return add_second_secret(unit, client, entropy, actor=developing.person.email, secret_id=secret_id)
        except IntegrityError:
            raise SentBefore from None

    secret = await change_app(request, developing, work)
    return await credentials_page(request, developing, secret=secret)


@app_action
async def end(request: Request, developing: Developing, form: Fields) -> Response:
    """Ends a secret now, on a day, or lets it live on."""
    secret_id = _secret_id(form)
    at = _end(form.one("end"), runtime_of(request).clock.now())
    await change_app(
        request,
        developing,
        lambda unit, client: end_secret(unit, client, secret_id, at=at, actor=developing.person.email),
    )
    done = "secret_kept" if at is None else "secret_ended" if form.one("end") == "now" else "secret_ends"
    return back_to(request, developing, _TAB, done=done)


@app_action
async def change(request: Request, developing: Developing, form: Fields) -> Response:
    """How the app authenticates: by a pasted key set, by one it publishes, or by secrets again."""
    scopes = runtime_of(request).server.scopes
    actor = developing.person.email
    if form.one("method") == "secret":
        await change_app(request, developing, lambda unit, client: change_to_secrets(unit, client, actor=actor))
        return back_to(request, developing, _TAB, done="keys_removed")
    typed, uri = form.one("jwks"), form.one("jwks_uri")
    try:
        jwks = _read_jwks(typed) if typed else None
        await change_app(
            request,
            developing,
            lambda unit, client: change_keys(unit, client, jwks=jwks, jwks_uri=uri or None, actor=actor, scopes=scopes),
        )
    except DomainError as refused:
        fault = _fault_of_keys(request, refused, typed, uri)
        if fault is None:
            raise
        return await credentials_page(request, developing, faults=fault, typed=form, status=400)
    return back_to(request, developing, _TAB, done="keys_saved")


async def credentials_page(
    request: Request,
    developing: Developing,
    *,
    secret: str | None = None,
    is_new: bool = False,
    faults: dict[str, str] | None = None,
    typed: Fields | None = None,
    status: int = 200,
) -> Response:
    """`secret` is one that was made by this very request."""
    runtime, client = runtime_of(request), developing.client

    def look(unit: Unit) -> list[ClientSecret]:
        return list_live_secrets(unit, client.id)

    secrets = await runtime.database.transact(look, read_only=True)
    by_secret = has_secret_method(client.token_endpoint_auth_method)
    is_public = client.token_endpoint_auth_method == "none"
    return show_app(
        request,
        developing,
        "developers/credentials.html",
        status,
        tab=_TAB,
        secret=secret,
        is_new=is_new,
        secrets=secrets,
        by_secret=by_secret,
        is_public=is_public,
        may_add=by_secret and len(secrets) < MOST_SECRETS,
        lives_on=LIVES_ON,
        jwks=orjson.dumps(client.jwks, option=orjson.OPT_INDENT_2).decode() if client.jwks else "",
        jwks_uri=client.jwks_uri or "",
        errors=faults or {},
        typed=typed,
        samples=samples_for(runtime, client, secret) if by_secret or is_public else None,
        issuer=runtime.settings.issuer,
        endpoints=_endpoints(request),
        once=once_token(request),
    )


def _endpoints(request: Request) -> dict[str, str]:
    runtime = runtime_of(request)
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    return {name: runtime.settings.issuer + runtime.metadata_paths[name] for name in names}


def _secret_id(form: Fields) -> UUID:
    secret_id = parse_uuid(form.one("secret"))
    if secret_id is None:
        raise DomainError("not_found", 404, "There is no such living secret.")
    return secret_id


def _end(choice: str, now: datetime) -> datetime | None:
    """When a secret is to end: `now`, `never`, a number of days, or a date (at its start, UTC)."""
    if choice == "now":
        return now
    if choice == "never":
        return None
    if choice in map(str, LIVES_ON):
        return now + timedelta(days=int(choice))
    try:
        day = datetime.strptime(choice, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise DomainError("bad_date", 400, "end: must be a day") from None
    return max(day, now)


def _read_jwks(text: str) -> dict[str, Any]:
    try:
        document = orjson.loads(text[:_LONGEST_JWKS])
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise DomainError("invalid_client_metadata", 400, "jwks: is not JSON")
    return document


def _fault_of_keys(request: Request, refused: DomainError, typed: str, uri: str) -> dict[str, str] | None:
    """What is wrong with the keys, beside the field it was typed into; None for a refusal of another kind."""
    say = language_of(request).say
    if isinstance(refused, RefusedUri):
        return {"jwks_uri": say(f"developers.uri_fault.{refused.fault}")}
    if refused.code != "invalid_client_metadata":
        return None
    if typed and uri:
        return {"jwks_uri": say("developers.fault.jwks_both")}
    is_private = "public keys only" in refused.description
    return {"jwks": say("developers.fault.jwks_private" if is_private else "developers.fault.jwks")}
