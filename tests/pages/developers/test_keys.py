"""API keys of an app: for a store where the developer works, shown once, dead at once when revoked or suspended."""

import html
import re

import httpx
import pytest

from authsrv.oauth.client_deletion import delete_client
from authsrv.oauth.registration import resume_client, suspend_client
from authsrv.storage.client_members import VIEWER
from authsrv.storage.clients import find_client
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_membership
from tests.portal import Developer, Made, join, token_in
from tests.support.world import World


def working(world: World, store: Store, role: str = "staff") -> Developer:
    return Developer.signed_in(world, stores=(store.prefix,), role=role)


def make(developer: Developer, app: Made, **typed: object) -> httpx.Response:
    path = f"{app.path}/keys"
    wanted = {"name": "Till <1>", "scope": ["orders:read"], **typed}
    return developer.submit(developer.visit(path), path, **wanted)


def key_in(page: httpx.Response) -> str:
    """The key that the page shows, this once."""
    return next(
        text for text in map(html.unescape, re.findall(r'data-copy="([^"]*)"', page.text)) if text.startswith("ak_")
    )


def opens(world: World, key: str) -> int:
    return world.http.get("/orders?customer_id=1", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_is_made_shown_once_used_and_revoked(world: World) -> None:
    store = world.add_store()
    developer = working(world, store)
    app = developer.create()
    assert "No key yet" in developer.visit(f"{app.path}/keys").text
    page = make(developer, app, store=store.prefix)
    key = key_in(page)
    assert opens(world, key) == 200
    later = developer.visit(f"{app.path}/keys")
    assert key not in later.text
    assert f"ak_…{key[-4:]}" in later.text
    assert "Till &lt;1&gt;" in later.text
    key_id = key[: len("ak_") + 16]
    done = developer.do(app, f"/keys/{key_id}/revoke", at="/keys")
    assert "The key was revoked" in done.text
    assert opens(world, key) == 401


def test_a_form_sent_twice_makes_one_key(sqlite_world: World) -> None:
    store = sqlite_world.add_store()
    developer = working(sqlite_world, store)
    app = developer.create()
    path = f"{app.path}/keys"
    page = developer.visit(path)
    answers = [developer.submit(page, path, name="Till", store=store.prefix, scope=["orders:read"]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert developer.visit(path).text.count('<td data-label="Name">') == 1


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"name": " "}, "1 to 200 printable"),
        ({"scope": []}, "at least one thing"),
        ({"scope": ["orders:write"]}, "at least one thing"),
        ({"store": "elsewhere"}, "a store where you work"),
    ],
    ids=["no name", "no scope", "a scope the app has not", "another's store"],
)
def test_what_cannot_be_is_said_at_its_field_and_the_rest_is_kept(
    sqlite_world: World, typed: dict[str, object], says: str
) -> None:
    store = sqlite_world.add_store()
    developer = working(sqlite_world, store)
    app = developer.create()
    refused = make(developer, app, **{"name": "Kept name", "store": store.prefix, **typed})
    assert refused.status_code == 400
    assert says in refused.text
    assert "ak_…" not in refused.text
    if typed.get("name") != " ":
        assert 'value="Kept name"' in refused.text


def test_who_works_nowhere_is_told_what_to_do(sqlite_world: World) -> None:
    developer = Developer.signed_in(sqlite_world)
    app = developer.create()
    assert "You work in no store" in developer.visit(f"{app.path}/keys").text
    store = sqlite_world.add_store()

    def hire(unit: Unit) -> None:
        add_membership(unit, store_id=store.id, user_id=developer.user_id, role="staff", customer_id=None)

    sqlite_world.transact(hire)
    assert store.prefix in developer.visit(f"{app.path}/keys").text
    personal = developer.create(name="Only sign-in", scope=["openid"])
    assert "Nothing that a key could do" in developer.visit(f"{personal.path}/keys").text


def test_keys_sleep_while_their_app_is_suspended_and_end_with_it(world: World) -> None:
    store = world.add_store()
    developer = working(world, store)
    app = developer.create()
    key = key_in(make(developer, app, store=store.prefix))
    assert opens(world, key) == 200

    def change(act: str) -> None:
        def work(unit: Unit) -> None:
            client = find_client(unit, app.client_id)
            assert client is not None
            if act == "suspend":
                suspend_client(unit, client, actor="test")
            elif act == "resume":
                resume_client(unit, client, actor="test")
            else:
                delete_client(unit, client, actor="test")

        world.transact(work)

    for act, status in (("suspend", 401), ("resume", 200), ("delete", 401)):
        change(act)
        assert opens(world, key) == status, act


def test_viewers_look_and_another_apps_key_is_not_theirs_to_revoke(sqlite_world: World) -> None:
    store = sqlite_world.add_store()
    developer = working(sqlite_world, store)
    app, other = developer.create(), developer.create(name="Other")
    key = key_in(make(developer, app, store=store.prefix))
    key_id = key[: len("ak_") + 16]
    assert developer.do(other, f"/keys/{key_id}/revoke", at="/keys").status_code == 404
    viewer = working(sqlite_world, store)
    join(sqlite_world, app, viewer, VIEWER)
    page = viewer.visit(f"{app.path}/keys")
    assert f"ak_…{key[-4:]}" in page.text
    assert "Make the key" not in page.text
    token = token_in(page)
    for path in ("/keys", f"/keys/{key_id}/revoke"):
        assert viewer.browser.post(app.path + path, data={"csrf_token": token}).status_code == 403
    assert opens(sqlite_world, key) == 200
