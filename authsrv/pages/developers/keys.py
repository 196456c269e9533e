"""API keys of an app: made for the app's own store or one where the developer works, shown once, revoked at once."""

from dataclasses import replace

from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.api_keys import NewApiKey, create_api_key, end_api_key, status_of
from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.pages.developers.frame import back_to, show_app
from authsrv.pages.developers.guard import Developing, app_action, app_page, change_app
from authsrv.pages.developers.places import list_places, scopes_for_keys
from authsrv.storage.api_keys import ApiKey, list_app_keys
from authsrv.storage.clients import Client
from authsrv.storage.unit import Unit
from authsrv.web.fields import Fields
from authsrv.web.once import SentBefore, once_id, once_token
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of

_TAB = "keys"
_DAY_SECONDS = 86_400
# How long a key may live, as the form offers it; in days, or for ever.
LIVES = ("30", "90", "365", "never")


@app_page
async def show(request: Request, developing: Developing) -> Response:
    return await _page(request, developing)


@app_action
async def create(request: Request, developing: Developing, form: Fields) -> Response:
    """A key, shown in this answer and never again."""
    runtime, row_id, person = runtime_of(request), once_id(request, form), developing.person
    new = NewApiKey(
        name=form.one("name"),
        developer=person.email,
        store=form.one("store"),
        scope=" ".join(form.all("scope")),
        expires_seconds=int(form.one("lives")) * _DAY_SECONDS if form.one("lives") in LIVES[:-1] else None,
        row_id=row_id,
    )

    def work(unit: Unit, client: Client) -> str:
        if new.store not in [place.prefix for place in list_places(unit, person.user_id, client)]:
            raise DomainError("invalid_request", 400, "store: is none where you work")
        allowed = scopes_for_keys(runtime.server.scopes, client)
        own = replace(new, app=client)
        try:
            return create_api_key(unit, own, allowed_scopes=allowed, entropy=runtime.entropy, actor=person.email)[1]
        except IntegrityError:
            raise SentBefore from None

    try:
        made = await change_app(request, developing, work)
    except DomainError as refused:
        field = refused.description.partition(":")[0]
        if refused.code != "invalid_request" or field not in {"name", "store", "scope"}:
            raise
        fault = language_of(request).say(f"keys.fault_{field}")
        return await _page(request, developing, typed=form, errors={field: fault}, status=400)
    return await _page(request, developing, made=made)


@app_action
async def revoke(request: Request, developing: Developing, _: Fields) -> Response:
    key_id, actor = request.path_params["key"], developing.person.email

    def work(unit: Unit, client: Client) -> None:
        if key_id not in [key.key_id for key, _ in list_app_keys(unit, client.id)]:
            raise DomainError("not_found", 404, "There is no such key.")
        end_api_key(unit, key_id, actor=actor)

    await change_app(request, developing, work)
    return back_to(request, developing, _TAB, done="key_revoked")


async def _page(
    request: Request,
    developing: Developing,
    *,
    made: str | None = None,
    typed: Fields | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """`made` is a key that this very request made."""
    runtime, client = runtime_of(request), developing.client

    def look(unit: Unit) -> tuple[list[tuple[ApiKey, str]], list[KnownStore]]:
        return list_app_keys(unit, client.id), list_places(unit, developing.person.user_id, client)

    keys, places = await runtime.database.transact(look, read_only=True)
    now = runtime.clock.now()
    return show_app(
        request,
        developing,
        "developers/keys.html",
        status,
        tab=_TAB,
        keys=[(key, store, status_of(key, now)) for key, store in keys],
        places=places,
        scopes=scopes_for_keys(runtime.server.scopes, client),
        lives=LIVES,
        made=made,
        typed=typed or Fields(),
        errors=errors or {},
        once=once_token(request),
    )
