"""Apps that register themselves: what they send, and what they do with what they got."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from sqlmodel import select

from authsrv.storage.clients import Client, find_client
from authsrv.storage.registrations import (
    Registration,
    prune_registrations,
)
from authsrv.storage.unit import Unit
from tests.people import CALLBACK, App
from tests.support.world import Registered, World

PUBLIC: dict[str, Any] = {
    "redirect_uris": [CALLBACK],
    "token_endpoint_auth_method": "none",
    "client_name": "A public app",
}
NO_LIMIT = {"registration_per_address": "off", "token_per_client": "off"}


def register(world: World, token: str | None = None, **metadata: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return world.http.post("/oauth/register", json=metadata, headers=headers)


def registered(world: World, **metadata: Any) -> dict[str, Any]:
    answer = register(world, **metadata)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def manage(world: World, made: dict[str, Any], method: str, **values: Any) -> httpx.Response:
    """A request to the client's own URL, with its own token."""
    headers = {"Authorization": f"Bearer {made['registration_access_token']}"}
    return world.http.request(method, made["registration_client_uri"], headers=headers, **values)


def as_app(world: World, made: dict[str, Any]) -> App:
    is_public = made["token_endpoint_auth_method"] == "none"
    credentials = Registered(made["client_id"], made.get("client_secret", ""))
    return App(world, credentials, is_public, redirect_uri=made["redirect_uris"][0])


def unique() -> str:
    return f"App {uuid4().hex[:12]}"


def age(world: World, *client_ids: str, by: timedelta = timedelta(days=1, seconds=1)) -> None:
    """Lets these be due for a look, and looks."""

    def work(unit: Unit) -> None:
        for client_id in client_ids:
            client = unit.session.exec(select(Client).where(Client.client_id == client_id)).one()
            registration = unit.session.get(Registration, client.id)
            assert registration is not None
            if registration.expires_at is not None:
                registration.expires_at -= by
            unit.session.add(registration)

    world.transact(work)
    world.transact(lambda unit: prune_registrations(unit, 500))


def is_there(world: World, client_id: str) -> bool:
    return world.transact(lambda unit: find_client(unit, client_id) is not None)


def row_of(unit: Unit, made: dict[str, Any]) -> Client:
    client = find_client(unit, made["client_id"])
    assert client is not None
    return client
