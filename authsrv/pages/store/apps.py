"""The apps and API keys that act in a store: what they may do, since when, and ending it for the whole store."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.api_keys import end_api_key, status_of
from authsrv.identity.sessions import SignedIn
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.oauth.registration import status_of as state_of
from authsrv.oauth.store_apps import disconnect_app
from authsrv.pages.store.frame import back_to, show_store, store_path
from authsrv.pages.store.guard import Working, change_store, owner_action, store_page
from authsrv.storage.api_keys import ApiKey, list_store_keys
from authsrv.storage.clients import find_client
from authsrv.storage.store_apps import StoreApp, list_store_apps
from authsrv.storage.store_people import list_workplaces
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import Webhook, find_webhook, list_webhooks
from authsrv.web.fields import Fields
from authsrv.web.page import personal
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of, redirect, render


@dataclass(frozen=True, slots=True)
class ShownApp:
    """An app as the page shows it; `sentences` say what it may do."""

    app: StoreApp
    state: str
    sentences: list[str]


@personal
async def choose(request: Request, person: SignedIn) -> Response:
    """`/store`: the one store of most people, or a choice."""
    places = await runtime_of(request).database.transact(
        lambda unit: list_workplaces(unit, person.user_id), read_only=True
    )
    if len(places) == 1:
        return redirect(request, store_path(places[0][0].prefix))
    return render(request, "store/choose.html", person=person, places=places)


@store_page
async def show(request: Request, working: Working) -> Response:
    runtime, language, store = runtime_of(request), language_of(request), working.store

    def look(unit: Unit) -> tuple[list[StoreApp], list[tuple[ApiKey, str, str | None]], list[Webhook]]:
        return list_store_apps(unit, store.id), list_store_keys(unit, store.id), list_webhooks(unit, store.id)

    apps, keys, webhooks = await runtime.database.transact(look, read_only=True)
    catalogue = {name: scope.sentence for name, scope in runtime.server.scopes.by_name.items()}
    now = runtime.clock.now()
    return show_store(
        request,
        working,
        "store/apps.html",
        tab="apps",
        apps=[
            ShownApp(
                app, state_of(app.client), [language.sentence(name, catalogue.get(name, name)) for name in app.scopes]
            )
            for app in apps
        ],
        keys=[(key, email, app) for key, email, app in keys if status_of(key, now) == "active"],
        webhooks=webhooks,
    )


@owner_action
async def disconnect(request: Request, working: Working, form: Fields) -> Response:
    """Ends all that the app may do in the store, for everybody."""
    client_id, actor = form.one("client_id"), working.person.email

    def work(unit: Unit, store: Store) -> bool:
        client = find_client(unit, client_id)
        return client is not None and disconnect_app(unit, store, client, actor=actor)

    done = await change_store(request, working, work)
    return back_to(request, working, "", "app" if done else "nothing")


@owner_action
async def revoke_key(request: Request, working: Working, form: Fields) -> Response:
    key_id, actor = form.one("key"), working.person.email

    def work(unit: Unit, store: Store) -> None:
        if key_id not in [key.key_id for key, _, _ in list_store_keys(unit, store.id)]:
            raise DomainError("not_found", 404, "There is no such key.")
        end_api_key(unit, key_id, actor=actor)

    await change_store(request, working, work)
    return back_to(request, working, "", "key")


@owner_action
async def remove_webhook(request: Request, working: Working, form: Fields) -> Response:
    """Nothing more is told to the endpoint."""
    webhook_id, actor, webhooks = parse_uuid(form.one("webhook")), working.person.email, runtime_of(request).webhooks

    def work(unit: Unit, store: Store) -> None:
        webhook = find_webhook(unit, webhook_id) if webhook_id else None
        if webhook is None or webhook.store_id != store.id:
            raise DomainError("not_found", 404, "There is no such webhook.")
        webhooks.remove(unit, webhook, actor=actor)

    await change_store(request, working, work)
    return back_to(request, working, "", "webhook")
