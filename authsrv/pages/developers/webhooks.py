"""Webhooks of an app: endpoints with their events, and each with its secret, its switch and a test message."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.pages.developers.deliveries import deliveries_of, get_webhook, webhook_path
from authsrv.pages.developers.frame import back_to, show_app
from authsrv.pages.developers.guard import Developing, app_action, app_page, change_app
from authsrv.pages.developers.places import list_places
from authsrv.shop.events import EVENTS
from authsrv.shop.webhooks import OLD_SECRET_SIGNS, Webhooks
from authsrv.storage.clients import Client
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import Webhook, list_app_webhooks
from authsrv.web.fields import Fields
from authsrv.web.once import SentBefore, once_id, once_token
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import redirect

_TAB = "webhooks"


@dataclass(frozen=True, slots=True)
class Made:
    """A secret that this very request made, and whose."""

    url: str
    secret: str


@app_page
async def show_all(request: Request, developing: Developing) -> Response:
    return await _list_page(request, developing)


@app_action
async def create(request: Request, developing: Developing, form: Fields) -> Response:
    """An endpoint; its secret is shown in this answer and never again."""
    webhooks, row_id, person = runtime_of(request).webhooks, once_id(request, form), developing.person
    url, events, prefix = form.one("url"), form.all("event"), form.one("store")

    def work(unit: Unit, client: Client) -> str:
        store = next((one for one in list_places(unit, person.user_id, client) if one.prefix == prefix), None)
        if store is None:
            raise DomainError("invalid_store", 400, "store: is none where you work")
        try:
            return webhooks.create(
                unit, store, url, events, developer_id=person.user_id, actor=person.email, app=client, row_id=row_id
            )[1]
        except IntegrityError:
            raise SentBefore from None

    try:
        secret = await change_app(request, developing, work)
    except DomainError as refused:
        if (errors := _errors(refused)) is None:
            raise
        return await _list_page(request, developing, typed=form, errors=errors, status=400)
    return await _list_page(request, developing, made=Made(url, secret))


@app_page
async def show(request: Request, developing: Developing) -> Response:
    return await _page(request, developing)


@app_action
async def change(request: Request, developing: Developing, form: Fields) -> Response:
    """Another URL, other events."""
    webhooks, actor = runtime_of(request).webhooks, developing.person.email

    def work(unit: Unit, client: Client) -> None:
        webhook, _ = get_webhook(unit, client, request)
        webhooks.change(unit, webhook, form.one("url"), form.all("event"), actor=actor)

    try:
        await change_app(request, developing, work)
    except DomainError as refused:
        if (errors := _errors(refused)) is None:
            raise
        return await _page(request, developing, typed=form, errors=errors, status=400)
    return _back(request, developing, "webhook_saved")


@app_action
async def rotate(request: Request, developing: Developing, _: Fields) -> Response:
    """A new secret, shown in this answer; for a day the old one signs too."""
    webhooks, actor = runtime_of(request).webhooks, developing.person.email

    def work(unit: Unit, client: Client) -> Made:
        webhook, _ = get_webhook(unit, client, request)
        return Made(webhook.url, webhooks.rotate_secret(unit, webhook, actor=actor))

    return await _page(request, developing, made=await change_app(request, developing, work))


@app_action
async def act(request: Request, developing: Developing, _: Fields) -> Response:
    """Sends a test message, switches on or off, or removes it."""
    key, actor, webhooks = request.path_params["act"], developing.person.email, runtime_of(request).webhooks
    if key not in ACTS:
        raise DomainError("not_found", 404, "There is nothing at this path.")

    def work(unit: Unit, client: Client) -> None:
        webhook, _ = get_webhook(unit, client, request)
        if key == "ping" and webhook.disabled_at is not None:
            raise DomainError("webhook_off", 409, "The webhook is switched off.")
        ACTS[key](webhooks, unit, webhook, actor)

    await change_app(request, developing, work)
    if key == "remove":
        return back_to(request, developing, _TAB, done="webhook_remove")
    return _back(request, developing, f"webhook_{key}")


ACTS: dict[str, Callable[[Webhooks, Unit, Webhook, str], object]] = {
    "ping": lambda webhooks, unit, webhook, _: webhooks.ping(unit, webhook),
    "enable": lambda webhooks, unit, webhook, actor: webhooks.enable(unit, webhook, actor=actor),
    "disable": lambda webhooks, unit, webhook, actor: webhooks.disable(unit, webhook, actor=actor),
    "remove": lambda webhooks, unit, webhook, actor: webhooks.remove(unit, webhook, actor=actor),
}


def _back(request: Request, developing: Developing, done: str) -> Response:
    return redirect(request, webhook_path(request, developing), done=done)


def _errors(refused: DomainError) -> dict[str, str] | None:
    """The refusal as it stands at its field."""
    if refused.code == "invalid_webhook":
        return {"url": refused.description}
    return {"store": refused.description} if refused.code == "invalid_store" else None


async def _list_page(
    request: Request,
    developing: Developing,
    *,
    made: Made | None = None,
    typed: Fields | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    client = developing.client

    def look(unit: Unit) -> tuple[list[tuple[Webhook, str]], list[KnownStore]]:
        return list_app_webhooks(unit, client.id), list_places(unit, developing.person.user_id, client)

    webhooks, places = await runtime_of(request).database.transact(look, read_only=True)
    return show_app(
        request,
        developing,
        "developers/webhooks.html",
        status,
        tab=_TAB,
        webhooks=webhooks,
        places=places,
        events=EVENTS,
        made=made,
        typed=typed,
        errors=errors or {},
        once=once_token(request),
    )


async def _page(
    request: Request,
    developing: Developing,
    *,
    made: Made | None = None,
    typed: Fields | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    client, runtime = developing.client, runtime_of(request)
    before = parse_uuid(request.query_params.get("before", ""))

    def look(unit: Unit) -> tuple[Webhook, str, dict[str, Any]]:
        webhook, store = get_webhook(unit, client, request)
        return webhook, store, deliveries_of(unit, webhook, before)

    webhook, store, listed = await runtime.database.transact(look, read_only=True)
    old_ends = webhook.old_secret_expires_at
    return show_app(
        request,
        developing,
        "developers/webhook.html",
        status,
        tab=_TAB,
        webhook=webhook,
        store=store,
        path=webhook_path(request, developing),
        url_typed=typed.one("url") if typed else webhook.url,
        events_typed=typed.all("event") if typed else webhook.events,
        events=EVENTS,
        made=made,
        errors=errors or {},
        old_ends=old_ends if old_ends and old_ends > runtime.clock.now() else None,
        old_signs_hours=int(OLD_SECRET_SIGNS.total_seconds() // 3600),
        **listed,
    )
