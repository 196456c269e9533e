"""API keys as an operator makes, lists and ends them."""

import re
from pathlib import Path

from tests.actors import Operator, bearer
from tests.support.world import SECRET_KEY, World


def test_a_key_is_made_used_listed_and_revoked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/authsrv.db"
    operator = Operator(tmp_path, {"AUTHSRV_DATABASE_URL": url, "AUTHSRV_SECRET_KEYS": SECRET_KEY})
    operator.ask("migrate")
    operator.ask("stores", "create", "shop", "--name", "A shop")
    made = operator.ask(
        "api-keys", "create", "Till", "--developer", "Dev@example.com", "--store", "shop", "--scope", "orders:read",
        "--expires-in", "3600",
    )  # fmt: skip
    text = made.pop("api_key")
    assert re.fullmatch(r"ak_[A-Za-z0-9_-]{66}", text)
    assert text.startswith(made["id"])
    assert made["last_four"] == text[-4:]
    assert (made["developer"], made["store"], made["status"]) == ("dev@example.com", "shop", "active")
    world = World(url)
    assert world.http.get("/orders", headers=bearer(text)).status_code == 200
    world.close()
    [listed] = operator.ask("api-keys", "list", "--store", "shop")
    # The server wrote down the last use when it ended; all else is as it was, and the key is not shown again.
    assert listed.pop("last_used_at")
    assert listed == {name: value for name, value in made.items() if name != "last_used_at"}
    assert operator.ask("api-keys", "revoke", made["id"])["status"] == "revoked"
    again = operator.run("api-keys", "revoke", made["id"])
    assert (again.exit_code, again.stderr) == (1, f"There is no living API key {made['id']}.\n")


def test_a_key_whose_app_is_suspended_is_revoked_and_shown(tmp_path: Path) -> None:
    operator = Operator(
        tmp_path, {"AUTHSRV_DATABASE_URL": f"sqlite:///{tmp_path}/authsrv.db", "AUTHSRV_SECRET_KEYS": SECRET_KEY}
    )
    operator.ask("migrate")
    operator.ask("stores", "create", "shop", "--name", "A shop")
    developer = ("--developer", "dev@example.com")
    app = operator.ask("apps", "create", "Tills", *developer, "--type", "service", "--scope", "orders:read")
    key = operator.ask(
        "api-keys", "create", "Till", *developer, "--store", "shop", "--scope", "orders:read", "--app", app["client_id"]
    )
    operator.ask("apps", "suspend", app["client_id"])
    revoked = operator.ask("api-keys", "revoke", key["id"])
    assert (revoked["id"], revoked["status"]) == (key["id"], "revoked")


def test_a_key_for_people_or_for_no_store_is_refused(tmp_path: Path) -> None:
    operator = Operator(
        tmp_path, {"AUTHSRV_DATABASE_URL": f"sqlite:///{tmp_path}/authsrv.db", "AUTHSRV_SECRET_KEYS": SECRET_KEY}
    )
    operator.ask("migrate")
    operator.ask("stores", "create", "shop", "--name", "A shop")
    create = ("api-keys", "create", "Till", "--developer", "dev@example.com")
    personal = operator.run(*create, "--store", "shop", "--scope", "openid")
    assert (personal.exit_code, personal.stderr.partition(";")[0]) == (1, "scope: a key cannot have openid")
    nowhere = operator.run(*create, "--store", "elsewhere", "--scope", "orders:read")
    assert (nowhere.exit_code, nowhere.stderr) == (1, "store: there is no store elsewhere\n")
    assert operator.run("api-keys", "list", "--store", "elsewhere").exit_code == 1
    assert operator.run(*create, "--store", "shop").exit_code == 2
