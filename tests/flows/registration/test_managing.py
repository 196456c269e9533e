"""Apps look after what they registered, each with its own token (RFC 7592)."""

from typing import Any

import pytest

from authsrv.kit.handles import Handle
from authsrv.oauth.registering import INITIAL_ACCESS_TOKEN
from authsrv.oauth.registration import approve_client
from tests.actors import misspelt
from tests.people import CALLBACK, Person, answer_in
from tests.registering import PUBLIC, as_app, is_there, manage, registered, row_of, unique
from tests.support.world import Registered, World


def test_a_client_is_read_changed_and_removed_with_its_token(world: World) -> None:
    made = registered(world, redirect_uris=[CALLBACK], client_name=unique())
    seen = manage(world, made, "GET").json()
    assert seen["registration_access_token"] == made["registration_access_token"]
    assert "client_secret" not in seen
    wanted = {
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
        "redirect_uris": ["https://app.example/new"],
        "grant_types": ["authorization_code", "refresh_token"],
    }
    changed = manage(world, made, "PUT", json=wanted)
    assert changed.status_code == 200, changed.text
    after = changed.json()
    assert after["redirect_uris"] == ["https://app.example/new"]
    assert after["grant_types"] == ["authorization_code", "refresh_token"]
    # What was left out is no more.
    assert after["client_name"] == "app.example"
    assert after["registration_access_token"] != made["registration_access_token"]
    assert manage(world, after, "DELETE").status_code == 204
    assert manage(world, after, "GET").status_code == 401
    assert not is_there(world, made["client_id"])


def test_a_lost_answer_to_a_change_locks_nobody_out(world: World) -> None:
    made = registered(world, redirect_uris=[CALLBACK], client_name=unique())
    wanted = {"client_id": made["client_id"], "redirect_uris": [CALLBACK], "client_name": "After"}
    manage(world, made, "PUT", json=wanted)
    again = manage(world, made, "PUT", json=wanted)
    assert again.status_code == 200
    # A token from two changes ago is worth nothing.
    assert manage(world, made, "GET").status_code == 401
    assert manage(world, again.json(), "GET").status_code == 200


def test_removing_a_client_ends_its_tokens_at_once(world: World) -> None:
    made = registered(
        world, redirect_uris=[CALLBACK], client_name=unique(), grant_types=["authorization_code", "refresh_token"]
    )
    app, person = as_app(world, made), Person.signed_in(world)
    tokens = app.log_in(person)
    assert manage(world, made, "DELETE").status_code == 204
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert world.http.get("/oauth/userinfo", headers=bearer).status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 401


@pytest.mark.parametrize("fault", ["none", "forged", "of another client", "an access token's seal"])
def test_without_its_token_a_client_is_out_of_reach(world: World, fault: str) -> None:
    made, other = (registered(world, redirect_uris=[CALLBACK], client_name=unique()) for _ in range(2))
    token = {
        "none": None,
        "forged": misspelt(made["registration_access_token"]),
        "of another client": other["registration_access_token"],
        "an access token's seal": world.runtime.sealer.seal(
            INITIAL_ACCESS_TOKEN, Handle(world.runtime.identifiers.next(), 0)
        ),
    }[fault]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"client_id": made["client_id"], "redirect_uris": ["https://evil.example/"]}
    for method in ("GET", "PUT", "DELETE"):
        answer = world.http.request(
            method, made["registration_client_uri"], headers=headers, json=body if method == "PUT" else None
        )
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert manage(world, made, "GET").json()["redirect_uris"] == [CALLBACK]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"client_id": "app_another"},
        {"client_id": None},
        {"client_secret": "cs_of-my-own-choosing"},
        {"client_secret": 7},
    ],
)
def test_a_change_names_the_client_and_chooses_no_secret(world: World, wrong: dict[str, Any]) -> None:
    made = registered(world, redirect_uris=[CALLBACK], client_name=unique())
    own = {"client_id": made["client_id"]} if "client_secret" in wrong else {}
    answer = manage(world, made, "PUT", json={"redirect_uris": [CALLBACK], **own, **wrong})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_a_client_that_gives_its_secret_up_has_none_and_one_that_needs_one_gets_it(world: World) -> None:
    made = registered(world, redirect_uris=[CALLBACK], client_name=unique())
    public = {"client_id": made["client_id"], "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    changed = manage(world, made, "PUT", json=public).json()
    assert "client_secret" not in changed
    app = as_app(world, made)
    assert app.token(grant_type="authorization_code", code="x").status_code == 401
    back = manage(world, changed, "PUT", json={"client_id": made["client_id"], "redirect_uris": [CALLBACK]}).json()
    assert back["client_secret"] != made["client_secret"]


def test_who_changes_the_face_of_an_approved_app_is_not_approved_and_people_are_asked_again(world: World) -> None:
    made = registered(world, redirect_uris=[CALLBACK], client_name=unique())
    world.transact(lambda unit: approve_client(unit, row_of(unit, made), actor="test"))
    app, person = as_app(world, made), Person.signed_in(world)
    app.log_in(person, scope="openid")
    assert "code" in answer_in(person.visit(app.authorize_url(scope="openid")))
    same = {"client_id": made["client_id"], "redirect_uris": [CALLBACK], "client_name": made["client_name"]}
    changed = manage(world, made, "PUT", json={**same, "tos_uri": "https://app.example/tos"}).json()
    assert world.transact(lambda unit: row_of(unit, made).approved_at) is not None
    manage(world, changed, "PUT", json={**same, "client_name": "Another face"})
    assert world.transact(lambda unit: row_of(unit, made).approved_at) is None
    assert person.visit(app.authorize_url(scope="openid")).url.path == "/consent"


def test_a_suspended_app_cannot_change_itself_or_begin_anew(world: World) -> None:
    metadata = {**PUBLIC, "client_name": unique()}
    made = registered(world, **metadata)
    world.suspend(Registered(made["client_id"], ""))
    assert manage(world, made, "PUT", json={**metadata, "client_id": made["client_id"]}).status_code == 403
    assert manage(world, made, "DELETE").status_code == 403
    assert registered(world, **metadata)["client_id"] == made["client_id"]
    assert world.http.get(as_app(world, made).authorize_url()).status_code == 400
