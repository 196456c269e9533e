"""Apps register themselves, and those that nobody uses are forgotten (RFC 7591)."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import col, update

from authsrv.storage.clients import find_client, list_clients
from authsrv.storage.grants import Grant, prune_grants
from authsrv.storage.registrations import prune_registrations
from authsrv.storage.unit import Unit
from tests.engines import on_postgresql_alone
from tests.people import CALLBACK, Person, answer_in
from tests.registering import PUBLIC, age, as_app, is_there, manage, register, registered, row_of, unique
from tests.support.world import World


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
@on_postgresql_alone()
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
@on_postgresql_alone()
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
@example({"redirect_uris": ["https://[::1"], "subject_type": "pairwise"})
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
@on_postgresql_alone()
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
@on_postgresql_alone()
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


def test_what_everybody_said_no_to_goes_with_the_memory_of_it(world: World) -> None:
    made = registered(world, **{**PUBLIC, "client_name": unique()})
    app, person = as_app(world, made), Person.signed_in(world)
    page = person.visit(app.authorize_url(scope="openid"))
    assert answer_in(person.send(page, decision="deny"))["error"] == "access_denied"
    age(world, made["client_id"])
    assert is_there(world, made["client_id"])

    def end_grants(unit: Unit) -> None:
        past = unit.now() - timedelta(seconds=1)
        unit.change(update(Grant).where(col(Grant.client_id) == row_of(unit, made).id).values(expires_at=past))
        prune_grants(unit, 500)

    world.transact(end_grants)
    age(world, made["client_id"])
    assert not is_there(world, made["client_id"])


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
