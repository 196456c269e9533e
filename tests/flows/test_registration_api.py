"""Apps register themselves, and look after what they registered (RFC 7591, RFC 7592)."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from authsrv.kit.handles import Handle
from authsrv.oauth.registering import INITIAL_ACCESS_TOKEN
from authsrv.oauth.registration import approve_client
from authsrv.storage.clients import Client, find_client, list_clients
from authsrv.storage.registrations import (
    Registration,
    add_initial_access_token,
    prune_registrations,
    revoke_initial_access_token,
)
from authsrv.storage.unit import Unit
from tests.actors import misspelt
from tests.conftest import ENGINES
from tests.people import CALLBACK, App, Person, answer_in
from tests.support.world import Registered, World

PUBLIC: dict[str, Any] = {
    "redirect_uris": [CALLBACK],
    "token_endpoint_auth_method": "none",
    "client_name": "A public app",
}
NO_LIMIT = {"registration_per_address": "off", "token_per_client": "off"}


@pytest.fixture(scope="module")
def sqlite_open(new_database: Callable[[str], str]) -> Iterator[World]:
    yield from _serve(new_database("sqlite"))


@pytest.fixture(scope="module")
def postgresql_open(new_database: Callable[[str], str]) -> Iterator[World]:
    yield from _serve(new_database("postgresql"))


@pytest.fixture(params=ENGINES)
def world(request: pytest.FixtureRequest) -> World:
    """A server where anybody may register an app, on each engine in turn."""
    running: World = request.getfixturevalue(f"{request.param}_open")
    return running


def _serve(url: str) -> Iterator[World]:
    world = World(url, registration="open", limits=NO_LIMIT)
    yield world
    world.close()


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


def test_an_app_registers_and_logs_a_person_in(world: World) -> None:
    made = registered(world, redirect_uris=[CALLBACK], client_name="Newcomer", scope="openid orders:read")
    assert made["client_secret_expires_at"] == 0
    assert made["client_id_issued_at"] > 1_700_000_000
    assert made["redirect_uris"] == [CALLBACK]
    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert (made["grant_types"], made["response_types"]) == (["authorization_code"], ["code"])
    assert made["scope"] == "openid orders:read"
    assert made["registration_client_uri"] == f"{world.url}/oauth/register/{made['client_id']}"
    assert made["registration_access_token"].startswith("rg_")
    app, person = as_app(world, made), Person.signed_in(world)
    page = person.visit(app.authorize_url(scope="openid orders:read"))
    assert "Nobody vouches for this app" in page.text
    assert "registration.invalid" not in page.text
    assert app.log_in(person, scope="openid orders:read")["access_token"]


def test_the_answer_is_kept_by_nobody_and_read_by_scripts_of_any_origin(world: World) -> None:
    answer = world.http.post("/oauth/register", json=PUBLIC, headers={"Origin": "https://app.example"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    preflight = world.http.options(
        "/oauth/register/app_x",
        headers={"Origin": "https://app.example", "Access-Control-Request-Method": "DELETE"},
    )
    assert preflight.status_code == 204
    assert {"PUT", "DELETE"} <= set(preflight.headers["access-control-allow-methods"].split(", "))


def test_the_metadata_shows_the_door_only_where_it_is_open(world: World, sqlite_world: World) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        assert world.http.get(path).json()["registration_endpoint"] == f"{world.url}/oauth/register"
        assert "registration_endpoint" not in sqlite_world.http.get(path).json()


def test_where_it_is_closed_it_says_so(sqlite_world: World) -> None:
    answer = register(sqlite_world, **PUBLIC)
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
    assert answer.headers["cache-control"] == "no-store"


TYPES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing but a redirect URI": ({"redirect_uris": [CALLBACK]}, "web"),
    "a public one": ({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}, "spa"),
    "a native one": (
        {"redirect_uris": ["com.example.app:/cb"], "token_endpoint_auth_method": "none", "application_type": "native"},
        "native",
    ),
    "one on the person's machine that does not say so": (
        {"redirect_uris": ["http://127.0.0.1/cb", "http://localhost:9/cb"], "token_endpoint_auth_method": "none"},
        "native",
    ),
    "a service": ({"grant_types": ["client_credentials"]}, "service"),
    "nulls and empty texts": ({"redirect_uris": [CALLBACK], "client_uri": "", "jwks": None, "scope": None}, "web"),
    "what nobody knows here": (
        {"redirect_uris": [CALLBACK], "software_id": "x", "contacts": ["a@b.example"], "made_up": {"a": 1}},
        "web",
    ),
    "grants that there are not": (
        {"redirect_uris": [CALLBACK], "grant_types": ["implicit", "authorization_code", "urn:x"]},
        "web",
    ),
    "scopes that there are not": ({"redirect_uris": [CALLBACK], "scope": "openid made:up"}, "web"),
}


@pytest.mark.parametrize(("metadata", "kind"), TYPES.values(), ids=TYPES.keys())
def test_what_is_left_out_or_unknown_hinders_nobody(world: World, metadata: dict[str, Any], kind: str) -> None:
    made = registered(world, **metadata, client_name=unique())
    row = world.transact(lambda unit: find_client(unit, made["client_id"]))
    assert row is not None
    assert row.type == kind
    assert {"implicit", "urn:x"}.isdisjoint(made["grant_types"])
    assert "made:up" not in made["scope"]
    assert "made_up" not in made


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no redirect URI": ({"client_name": "x"}, "invalid_redirect_uri"),
    "a plain http redirect URI": ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
    "a wildcard": ({"redirect_uris": ["https://*.app.example/cb"]}, "invalid_redirect_uri"),
    "a fragment": ({"redirect_uris": ["https://app.example/cb#x"]}, "invalid_redirect_uri"),
    "a script": ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    "a private scheme for a web app": ({"redirect_uris": ["com.example.app:/cb"]}, "invalid_redirect_uri"),
    "redirect URIs that are no list": ({"redirect_uris": CALLBACK}, "invalid_redirect_uri"),
    "redirect URIs that are no texts": ({"redirect_uris": [1]}, "invalid_redirect_uri"),
    "a relative redirect URI": ({"redirect_uris": ["/cb"]}, "invalid_redirect_uri"),
    "too many redirect URIs": (
        {"redirect_uris": [f"https://app.example/{n}" for n in range(60)]},
        "invalid_redirect_uri",
    ),
    "an unknown way to authenticate": (
        {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_jwt"},
        "invalid_client_metadata",
    ),
    "no grant there is": (
        {"redirect_uris": [CALLBACK], "grant_types": ["implicit", "password"]},
        "invalid_client_metadata",
    ),
    "the implicit response": (
        {"redirect_uris": [CALLBACK], "response_types": ["token"]},
        "invalid_client_metadata",
    ),
    "a service nobody can know": (
        {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"},
        "invalid_client_metadata",
    ),
    "no scope there is": ({"redirect_uris": [CALLBACK], "scope": "made:up"}, "invalid_client_metadata"),
    "a kind that is none": ({"redirect_uris": [CALLBACK], "application_type": "game"}, "invalid_client_metadata"),
    "both key sets": (
        {"redirect_uris": [CALLBACK], "jwks": {"keys": []}, "jwks_uri": "https://app.example/k"},
        "invalid_client_metadata",
    ),
    "a shared key": (
        {"redirect_uris": [CALLBACK], "jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
        "invalid_client_metadata",
    ),
    "keys missing": (
        {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt"},
        "invalid_client_metadata",
    ),
    "keys over plain http": (
        {"redirect_uris": [CALLBACK], "jwks_uri": "http://app.example/k"},
        "invalid_client_metadata",
    ),
    "an unsigned ID token": (
        {"redirect_uris": [CALLBACK], "id_token_signed_response_alg": "none"},
        "invalid_client_metadata",
    ),
    "a name that is a number": ({"redirect_uris": [CALLBACK], "client_name": 7}, "invalid_client_metadata"),
    "a name that turns the text around": (
        {"redirect_uris": [CALLBACK], "client_name": "evil\u202eppa"},
        "invalid_client_metadata",
    ),
    "a name without end": ({"redirect_uris": [CALLBACK], "client_name": "x" * 201}, "invalid_client_metadata"),
    "a script for a home page": (
        {"redirect_uris": [CALLBACK], "client_uri": "javascript:alert(1)"},
        "invalid_client_metadata",
    ),
}


@pytest.mark.parametrize(("metadata", "error"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_in_the_standards_words(world: World, metadata: dict[str, Any], error: str) -> None:
    answer = register(world, **metadata)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["error_description"]


FIELDS = (
    "redirect_uris",
    "post_logout_redirect_uris",
    "token_endpoint_auth_method",
    "grant_types",
    "response_types",
    "client_name",
    "client_uri",
    "application_type",
    "scope",
    "jwks",
    "jwks_uri",
    "subject_type",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "backchannel_logout_uri",
)
URIS = st.sampled_from(
    [CALLBACK, "http://127.0.0.1/cb", "com.example.app:/cb", "https://[::1", "x", "", "https://a\0b/"]
)
NESTED: Any = json.loads('{"a":' * 300 + "1" + "}" * 300)
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(["none", "private_key_jwt", "authorization_code", "client_credentials", "native", "pairwise"])


@given(st.dictionaries(st.sampled_from(FIELDS), ANY_JSON | URIS | st.lists(URIS, max_size=3) | WORDS | st.lists(WORDS)))
@example({"redirect_uris": [CALLBACK], "jwks": NESTED})
@example({"redirect_uris": [CALLBACK], "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}})
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_registered_or_refused(world: World, metadata: dict[str, Any]) -> None:
    answer = register(world, **metadata)
    assert answer.status_code in {201, 400}, answer.text
    if answer.status_code == 400:
        assert answer.json()["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}


@pytest.mark.parametrize(
    "jwks",
    [[], {}, {"keys": 1}, {"keys": [1]}, {"keys": [{}]}, {"keys": [{"kty": "RSA", "n": 1}]}, {"keys": ["x" * 20_000]}],
)
def test_a_key_set_that_is_none_is_refused(world: World, jwks: Any) -> None:
    answer = register(world, redirect_uris=[CALLBACK], token_endpoint_auth_method="private_key_jwt", jwks=jwks)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"", "application/json", 400),
        (b"null", "application/json; charset=utf-8", 400),
    ],
)
def test_only_a_json_object_is_read(world: World, content: bytes, content_type: str, status: int) -> None:
    answer = world.http.post("/oauth/register", content=content, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_client_metadata")


def test_who_asks_for_the_same_public_client_again_is_given_it_and_nothing_that_could_change_it(world: World) -> None:
    metadata = {**PUBLIC, "client_name": unique()}
    first, second = registered(world, **metadata), registered(world, **metadata, software_id="another")
    assert second["client_id"] == first["client_id"]
    assert "registration_access_token" not in second
    assert "registration_client_uri" not in second
    # And from now on it is nobody's alone.
    assert manage(world, first, "GET").status_code == 200
    evil = {**metadata, "client_id": first["client_id"], "redirect_uris": ["https://evil.example/cb"]}
    assert manage(world, first, "PUT", json=evil).status_code == 403
    assert manage(world, first, "DELETE").status_code == 403
    assert manage(world, first, "GET").json()["redirect_uris"] == [CALLBACK]


def test_a_client_with_a_secret_is_never_given_to_another(world: World) -> None:
    metadata = {"redirect_uris": [CALLBACK], "client_name": unique()}
    first, second = registered(world, **metadata), registered(world, **metadata)
    assert first["client_id"] != second["client_id"]
    assert first["client_secret"] != second["client_secret"]


@pytest.mark.parametrize("is_public", [True, False])
def test_many_at_once_make_one_public_client_and_as_many_secret_ones(world: World, is_public: bool) -> None:  # noqa: FBT001
    metadata = {**PUBLIC, "client_name": unique()}
    if not is_public:
        del metadata["token_endpoint_auth_method"]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: registered(world, **metadata), range(8)))
    assert len({one["client_id"] for one in made}) == (1 if is_public else 8)
    # At most the first may manage it.
    assert sum("registration_access_token" in one for one in made) == (1 if is_public else 8)


def test_a_client_is_either_changed_or_given_to_another_however_close_they_come(world: World) -> None:
    for _ in range(5):
        metadata = {**PUBLIC, "client_name": unique()}
        made = registered(world, **metadata)
        changed = {**metadata, "client_id": made["client_id"], "redirect_uris": ["https://evil.example/cb"]}
        with ThreadPoolExecutor(5) as pool:
            change = pool.submit(manage, world, made, "PUT", json=changed)
            given = list(pool.map(lambda _: registered(world, **metadata)["client_id"], range(4)))  # noqa: B023
        was_changed = change.result().status_code == 200
        assert was_changed is (made["client_id"] not in given)
        assert len(set(given)) == 1


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
    world.transact(lambda unit: approve_client(unit, _row(unit, made), actor="test"))
    app, person = as_app(world, made), Person.signed_in(world)
    app.log_in(person, scope="openid")
    assert "code" in answer_in(person.visit(app.authorize_url(scope="openid")))
    same = {"client_id": made["client_id"], "redirect_uris": [CALLBACK], "client_name": made["client_name"]}
    changed = manage(world, made, "PUT", json={**same, "tos_uri": "https://app.example/tos"}).json()
    assert world.transact(lambda unit: _row(unit, made).approved_at) is not None
    manage(world, changed, "PUT", json={**same, "client_name": "Another face"})
    assert world.transact(lambda unit: _row(unit, made).approved_at) is None
    assert person.visit(app.authorize_url(scope="openid")).url.path == "/consent"


def test_a_suspended_app_cannot_change_itself_or_begin_anew(world: World) -> None:
    metadata = {**PUBLIC, "client_name": unique()}
    made = registered(world, **metadata)
    world.suspend(Registered(made["client_id"], ""))
    assert manage(world, made, "PUT", json={**metadata, "client_id": made["client_id"]}).status_code == 403
    assert manage(world, made, "DELETE").status_code == 403
    assert registered(world, **metadata)["client_id"] == made["client_id"]
    assert world.http.get(as_app(world, made).authorize_url()).status_code == 400


def test_what_nobody_used_is_gone_after_a_day_whole(world: World) -> None:
    made = [registered(world, **{**PUBLIC, "client_name": unique()}), registered(world, redirect_uris=[CALLBACK])]
    ids = [one["client_id"] for one in made]
    world.transact(lambda unit: prune_registrations(unit, 500))
    assert all(is_there(world, client_id) for client_id in ids)
    age(world, *ids)
    assert not any(is_there(world, client_id) for client_id in ids)
    assert manage(world, made[0], "GET").status_code == 401
    # Nothing is left of it, and every process knows.
    assert world.http.get(as_app(world, made[0]).authorize_url()).status_code == 400


def test_what_somebody_allowed_anything_stays(world: World) -> None:
    made = registered(world, **{**PUBLIC, "client_name": unique()})
    as_app(world, made).log_in(Person.signed_in(world), scope="openid")
    age(world, made["client_id"])
    age(world, made["client_id"], by=timedelta(days=400))
    assert is_there(world, made["client_id"])


def test_a_service_that_got_a_token_stays(world: World) -> None:
    made = registered(world, grant_types=["client_credentials"], client_name=unique())
    auth = (made["client_id"], made["client_secret"])
    form = {"grant_type": "client_credentials", "scope": "orders:read"}
    token = world.http.post("/oauth/token", data=form, auth=auth).json()["access_token"]
    # It speaks for no store, so it opens nothing.
    assert world.http.get("/orders", headers={"Authorization": f"Bearer {token}"}).status_code == 403
    asyncio.run_coroutine_threadsafe(world.app.state.write_usage(), world._loop).result(15)  # noqa: SLF001
    age(world, made["client_id"])
    assert is_there(world, made["client_id"])


def test_who_does_not_say_how_it_sends_its_secret_may_send_it_either_way(world: World) -> None:
    made = registered(world, grant_types=["client_credentials"], client_name=unique())
    own = {"client_id": made["client_id"], "client_secret": made["client_secret"]}
    form = {"grant_type": "client_credentials"}
    assert world.http.post("/oauth/token", data={**form, **own}).status_code == 200
    assert world.http.post("/oauth/token", data=form, auth=tuple(own.values())).status_code == 200
    said = registered(world, grant_types=["client_credentials"], token_endpoint_auth_method="client_secret_basic")
    own = {"client_id": said["client_id"], "client_secret": said["client_secret"]}
    assert world.http.post("/oauth/token", data={**form, **own}).status_code == 401


def test_the_command_line_lists_them_with_no_developer(world: World) -> None:
    made = registered(world, redirect_uris=[CALLBACK], client_name=unique())
    rows = world.transact(lambda unit: {client.client_id: client.origin for client in list_clients(unit)})
    assert rows[made["client_id"]] == "registered"


def _row(unit: Unit, made: dict[str, Any]) -> Client:
    client = find_client(unit, made["client_id"])
    assert client is not None
    return client


@pytest.fixture(scope="module")
def by_token(new_database: Callable[[str], str]) -> Iterator[World]:
    """A server where an initial access token is needed."""
    url = new_database("sqlite")
    world = World(url, registration="token", limits=NO_LIMIT)
    yield world
    world.close()


def initial_token(world: World, *, lives: timedelta | None = None) -> tuple[Any, str]:
    """Its id and its text."""

    def work(unit: Unit) -> Any:
        return add_initial_access_token(unit, "a partner", unit.now() + lives if lives else None).id

    token_id = world.transact(work)
    return token_id, world.runtime.sealer.seal(INITIAL_ACCESS_TOKEN, Handle(token_id, 0))


def test_with_an_initial_access_token_an_app_registers_until_it_is_revoked_or_expires(by_token: World) -> None:
    token_id, token = initial_token(by_token)
    assert register(by_token, token, redirect_uris=[CALLBACK]).status_code == 201
    assert register(by_token, token, redirect_uris=[CALLBACK]).status_code == 201
    assert by_token.transact(lambda unit: revoke_initial_access_token(unit, token_id))
    assert register(by_token, token, redirect_uris=[CALLBACK]).status_code == 401
    _, expired = initial_token(by_token, lives=timedelta(seconds=-1))
    assert register(by_token, expired, redirect_uris=[CALLBACK]).status_code == 401


def test_without_one_nobody_registers(by_token: World) -> None:
    missing = register(by_token, redirect_uris=[CALLBACK])
    assert (missing.status_code, missing.json()) == (401, {})
    made_up = register(by_token, "ia_AAAA", redirect_uris=[CALLBACK])
    assert (made_up.status_code, made_up.json()["error"]) == (401, "invalid_token")


def test_two_parties_with_tokens_of_their_own_do_not_share_a_client(by_token: World) -> None:
    made = [register(by_token, initial_token(by_token)[1], **PUBLIC).json() for _ in range(2)]
    assert made[0]["client_id"] != made[1]["client_id"]


def test_an_address_registers_so_many_and_then_waits(new_database: Callable[[str], str]) -> None:
    url = new_database("sqlite")
    world = World(url, registration="open", limits={"registration_per_address": "2/hour"})
    answers = [register(world, redirect_uris=[CALLBACK]) for _ in range(3)]
    made = answers[0].json()
    wanted = {"client_id": made["client_id"], "redirect_uris": [CALLBACK]}
    changes = [manage(world, made, "PUT", json=wanted).status_code for _ in range(3)]
    world.close()
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert changes == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 3600
