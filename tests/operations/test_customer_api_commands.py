"""`authsrv customer-api` as an operator uses it, and that a running server hears of it."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actors import Operator
from tests.support.databases import migrate_with_keys
from tests.support.traffic import last_granted
from tests.support.world import SECRET_KEY, World

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
CUSTOMER = ("casey@example.com", "--store", "shop")


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/authsrv.db"
    migrate_with_keys(url)
    return url


@pytest.fixture
def operator(tmp_path: Path, url: str) -> Operator:
    """At the shell of a server with one store and one customer."""
    operator = Operator(tmp_path, {"AUTHSRV_DATABASE_URL": url, "AUTHSRV_SECRET_KEYS": SECRET_KEY})
    operator.ask("stores", "create", "shop", "--name", "A shop")
    operator.ask("users", "create", *CUSTOMER)
    return operator


@pytest.fixture
def world(operator: Operator, url: str) -> Iterator[World]:
    world = World(url)
    yield world
    world.close()


def ask_token(world: World, pair: dict[str, str]) -> int:
    """How the server answers who has this pair."""
    return world.http.post("/oauth/token", data={"grant_type": "client_credentials", **pair_of(pair)}).status_code


def pair_of(made: dict[str, str]) -> dict[str, str]:
    return {name: made[name] for name in ("client_id", "client_secret")}


def test_a_customer_is_allowed_given_a_pair_and_withdrawn(operator: Operator) -> None:
    assert operator.ask("customer-api", "allow", *CUSTOMER) == {
        "email": "casey@example.com",
        "store": "shop",
        "customer_api": True,
    }
    made = operator.ask("customer-api", "create", *CUSTOMER)
    assert UUID4.fullmatch(made["client_id"])
    assert UUID4.fullmatch(made["client_secret"])
    assert operator.ask("customer-api", "withdraw", *CUSTOMER)["customer_api"] is False
    refused = operator.run("customer-api", "create", *CUSTOMER)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "has not allowed" in refused.stderr


def test_all_customers_are_allowed_and_withdrawn_at_once(operator: Operator) -> None:
    operator.ask("users", "create", "drew@example.com", "--store", "shop")
    told = operator.ask("customer-api", "allow-all", "--store", "shop")
    assert told == {"store": "shop", "customer_api": True, "changed": 2}
    assert operator.run("customer-api", "create", *CUSTOMER).exit_code == 0
    assert operator.ask("customer-api", "withdraw-all", "--store", "shop")["changed"] == 2
    assert operator.run("customer-api", "create", *CUSTOMER).exit_code == 1
    assert operator.run("customer-api", "allow-all", "--store", "none").exit_code == 1


def test_a_pair_is_revoked_and_the_customer_may_make_another(operator: Operator, world: World) -> None:
    operator.ask("customer-api", "allow", *CUSTOMER)
    none = operator.run("customer-api", "revoke", *CUSTOMER)
    assert (none.exit_code, none.stderr) == (1, "casey@example.com has no API password in shop.\n")
    made = operator.ask("customer-api", "create", *CUSTOMER)
    assert ask_token(world, made) == 200
    told = operator.ask("customer-api", "revoke", *CUSTOMER)
    assert told == {"email": "casey@example.com", "store": "shop", "revoked": True}
    done_at = time.monotonic()
    assert last_granted(lambda: ask_token(world, made), done_at) < 1
    assert operator.run("customer-api", "revoke", *CUSTOMER).exit_code == 1
    assert ask_token(world, operator.ask("customer-api", "create", *CUSTOMER)) == 200


def test_nobody_gets_a_pair_whom_the_store_has_not_allowed(operator: Operator) -> None:
    assert operator.run("customer-api", "create", *CUSTOMER).exit_code == 1
    assert operator.ask("users", "create", *CUSTOMER, "--customer-api")["customer_api"] is True
    assert operator.run("customer-api", "create", *CUSTOMER).exit_code == 0


@pytest.mark.parametrize("command", ["allow", "withdraw", "create", "revoke"])
def test_who_or_what_there_is_not_is_refused(operator: Operator, command: str) -> None:
    stranger = operator.run("customer-api", command, "nobody@example.com", "--store", "shop")
    assert (stranger.exit_code, stranger.stderr) == (1, "There is no person nobody@example.com.\n")
    nowhere = operator.run("customer-api", command, "casey@example.com", "--store", "elsewhere")
    assert (nowhere.exit_code, nowhere.stderr) == (1, "There is no store elsewhere.\n")
    assert operator.run("customer-api", command, "casey@example.com").exit_code == 2


def test_the_pair_is_no_app_to_any_command(operator: Operator) -> None:
    operator.ask("customer-api", "allow", *CUSTOMER)
    client_id = operator.ask("customer-api", "create", *CUSTOMER)["client_id"]
    assert operator.ask("apps", "list") == []
    for command in ("show", "approve", "suspend", "resume", "rotate-secret"):
        refused = operator.run("apps", command, client_id)
        assert (refused.exit_code, refused.stderr) == (1, f"There is no app {client_id}.\n")


@pytest.mark.parametrize("is_allowed", [True, False])
def test_the_check_finds_plain_http_unsafe(operator: Operator, is_allowed: bool) -> None:  # noqa: FBT001
    checked = json.loads(
        operator.run("check", "--json", AUTHSRV_CUSTOMER_API__ALLOW_HTTP=str(is_allowed).lower()).stdout
    )
    unsafe = [finding["name"] for finding in checked["findings"] if finding["unsafe"]]
    assert ("customer_api.allow_http" in unsafe) == is_allowed


def test_a_running_server_hears_of_it_within_a_second(operator: Operator, world: World) -> None:
    operator.ask("customer-api", "allow", *CUSTOMER)
    made = operator.ask("customer-api", "create", *CUSTOMER)
    form = {"grant_type": "client_credentials", **pair_of(made)}
    token = world.http.post("/oauth/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert world.http.get("/orders", headers=headers).status_code == 200
    operator.ask("customer-api", "withdraw", *CUSTOMER)
    done_at = time.monotonic()
    assert last_granted(lambda: world.http.get("/orders", headers=headers).status_code, done_at) < 1
    assert world.http.post("/oauth/token", data=form).status_code == 401
