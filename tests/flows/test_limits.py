"""So often and no oftener: at the token endpoint for each client, at the Order API for each credential and store."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from tests.actors import Operator, Service, bearer
from tests.flows.test_api_keys import Key
from tests.people import App
from tests.support.databases import migrate_with_keys
from tests.support.plain_http import NO_TLS
from tests.support.world import SECRET_KEY, ManualClock, World

PROXIED = {"X-Forwarded-Proto": "https"}


@contextmanager
def limited(
    tmp_path: Path, *, clock: ManualClock | None = None, limits: object = None, **rest: object
) -> Iterator[World]:
    """A server of the test's own, with these limits."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, clock=clock, limits=limits or {}, **rest)
    yield world
    world.close()


def statuses(act: Callable[[], httpx.Response], times: int) -> list[int]:
    return [act().status_code for _ in range(times)]


def assert_refused(answer: httpx.Response, *, amount: int) -> None:
    assert answer.status_code == 429
    wait = int(answer.headers["retry-after"])
    assert 1 <= wait <= 60
    assert answer.headers["ratelimit-policy"] == f'"default";q={amount};w=60'
    assert answer.headers["ratelimit"] == f'"default";r=0;t={wait}'


def test_each_answer_says_what_is_left(tmp_path: Path) -> None:
    with limited(tmp_path) as own:
        service = Service.hired(own)
        for left in (599, 598):
            answer = service.ask_for_token()
            assert answer.headers["ratelimit-policy"] == '"default";q=600;w=60'
            assert re.fullmatch(rf'"default";r={left};t=(60|59|5\d)', answer.headers["ratelimit"])
        # A refusal counts, and says so too; the API counts for itself.
        assert service.ask_for_token(scope="cart").headers["ratelimit"].startswith('"default";r=597;')
        assert service.list().headers["ratelimit"].startswith('"default";r=599;')
        assert service.read("nothing").headers["ratelimit"].startswith('"default";r=598;')


def test_scripts_of_any_origin_can_read_what_is_left(world: World) -> None:
    answer = world.http.get("/orders", headers={**Key.made(world).header, "Origin": "https://app.example"})
    exposed = answer.headers["access-control-expose-headers"]
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(exposed.split(", "))


def test_the_token_endpoint_refuses_as_it_words_errors(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"token_per_client": "2/minute"}) as world:
        service, other = Service.hired(world), Service.hired(world)
        assert statuses(service.ask_for_token, 2) == [200, 200]
        refused = service.ask_for_token()
        assert_refused(refused, amount=2)
        assert refused.headers["content-type"] == "application/json"
        assert refused.json()["error"] == "rate_limited"
        assert other.ask_for_token().status_code == 200


def test_it_is_allowed_again_when_the_answer_said(tmp_path: Path, clock: ManualClock) -> None:
    with limited(tmp_path, clock=clock, limits={"token_per_client": "2/minute"}) as world:
        service = Service.hired(world)
        statuses(service.ask_for_token, 2)
        clock.move(timedelta(seconds=10))
        refused = service.ask_for_token()
        assert refused.headers["retry-after"] == "50"
        # A clock that jumps makes the reading of the feed old; /readyz reads it anew.
        clock.move(timedelta(seconds=50))
        world.http.get("/readyz")
        assert service.ask_for_token().status_code == 200


def test_nobody_uses_up_anothers_quota(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"token_per_client": "3/minute"}, trusted_proxies="127.0.0.1") as world:
        service = Service.hired(world)
        thief = {**PROXIED, "X-Forwarded-For": "203.0.113.9"}
        wrong = httpx.BasicAuth(service.client_id, "wrong")
        form = {"grant_type": "client_credentials"}
        answers = [world.http.post("/oauth/token", data=form, auth=wrong, headers=thief) for _ in range(5)]
        # Whoever proves nothing is held to the limit by address.
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert all("ratelimit" not in answer.headers for answer in answers[:3])
        assert statuses(service.ask_for_token, 4) == [200, 200, 200, 429]


def test_unknown_clients_share_what_their_address_has(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"token_per_client": "3/minute"}) as world:
        form = {"grant_type": "client_credentials"}
        posts = [world.http.post("/oauth/token", data={**form, "client_id": f"made-up-{n}"}) for n in range(4)]
        assert [answer.status_code for answer in posts] == [401, 401, 401, 429]
        assert world.http.post("/oauth/token").status_code == 429


def test_a_public_client_has_a_quota_for_each_address(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"token_per_client": "2/minute"}, trusted_proxies="127.0.0.1") as world:
        app = App.registered(world, kind="spa")

        def ask(address: str) -> int:
            headers = {**PROXIED, "X-Forwarded-For": address}
            form = {"grant_type": "refresh_token", "refresh_token": "rt_x", "client_id": app.credentials.client_id}
            return world.http.post("/oauth/token", data=form, headers=headers).status_code

        assert [ask("203.0.113.9") for _ in range(3)] == [400, 400, 429]
        assert ask("203.0.113.10") == 400


def test_the_order_api_refuses_as_it_words_errors(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"api_per_credential": "2/minute"}) as world:
        service, key = Service.hired(world), Key.made(world)
        other_key = Key.made(world, store=key.store)
        for call in (service.list, key.list):
            assert statuses(call, 2) == [200, 200]
            refused = call()
            assert_refused(refused, amount=2)
            assert refused.json() == {
                "error": {"code": "rate_limited", "message": "Too many requests. Try again later."}
            }
        assert other_key.list().status_code == 200


def test_made_up_keys_are_looked_up_no_oftener_than_the_limit(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"api_per_credential": "3/minute"}) as world:
        key = Key.made(world)
        assert key.list().status_code == 200
        gone = [Key.made(world) for _ in range(3)]
        for each in gone:
            each.revoke()
        assert [each.list().status_code for each in gone] == [401, 401, 429]
        # A key that is known needs no look-up.
        assert key.list().status_code == 200


def test_a_client_can_have_limits_of_its_own(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"token_per_client": "2/minute", "api_per_credential": "2/minute"}) as world:
        generous = Service.hired(world, token_limit="4/minute", api_limit="off")
        answer = generous.ask_for_token()
        assert answer.headers["ratelimit-policy"] == '"default";q=4;w=60'
        assert statuses(generous.ask_for_token, 4) == [200, 200, 200, 429]
        token = bearer(answer.json()["access_token"])
        calls = [world.http.get("/orders", headers=token) for _ in range(4)]
        assert [call.status_code for call in calls] == [200] * 4
        assert "ratelimit" not in calls[0].headers


def test_off_is_off(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"token_per_client": "off", "api_per_credential": "OFF"}) as world:
        service = Service.hired(world)
        answer = service.ask_for_token()
        assert "ratelimit" not in answer.headers
        assert "ratelimit-policy" not in service.list().headers


def test_in_memory_each_worker_counts_its_part(tmp_path: Path) -> None:
    with limited(tmp_path, limits={"token_per_client": "8/minute", "workers": 4}) as world:
        service = Service.hired(world)
        first = service.ask_for_token()
        assert first.headers["ratelimit-policy"] == '"default";q=8;w=60'
        assert first.headers["ratelimit"].startswith('"default";r=1;')
        assert statuses(service.ask_for_token, 2) == [200, 429]


def test_the_workers_of_one_server_keep_to_one_limit(tmp_path: Path) -> None:
    operator = Operator(
        tmp_path,
        {
            "AUTHSRV_DATABASE_URL": f"sqlite:///{tmp_path}/authsrv.db",
            "AUTHSRV_SECRET_KEYS": SECRET_KEY,
            "AUTHSRV_MAIL_URL": "outbox:",
        },
    )
    operator.ask("migrate")
    made = operator.ask(
        "apps", "create", "Sync", "--developer", "dev@example.com", "--type", "service", "--token-limit", "10/minute",
        "--api-limit", "off",
    )  # fmt: skip
    assert (made["token_limit"], made["api_limit"]) == ("10/minute", "off")
    auth = httpx.BasicAuth(made["client_id"], made["client_secret"])
    with operator.serve("--workers", "2") as server:
        form = {"grant_type": "client_credentials"}
        # Each on a connection of its own, so that both workers get some.
        answers = [
            httpx.post(f"{server.url}/oauth/token", data=form, auth=auth, timeout=10, verify=NO_TLS) for _ in range(40)
        ]
    passed = [answer.status_code for answer in answers].count(200)
    assert 5 <= passed <= 10
    assert {answer.status_code for answer in answers} == {200, 429}


def test_a_rate_that_is_none_is_refused(tmp_path: Path) -> None:
    operator = Operator(
        tmp_path, {"AUTHSRV_DATABASE_URL": f"sqlite:///{tmp_path}/authsrv.db", "AUTHSRV_SECRET_KEYS": SECRET_KEY}
    )
    operator.ask("migrate")
    refused = operator.run(
        "apps", "create", "Sync", "--developer", "dev@example.com", "--type", "service", "--api-limit", "often"
    )
    assert refused.exit_code == 1
    assert "api_limit: must be a rate such as 600/minute, or off" in refused.stderr
