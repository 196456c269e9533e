"""The command line, as an operator and as a script use it."""

import json
from pathlib import Path

import pytest

from authsrv.kit.machine_secrets import is_well_formed
from tests.actors import Operator
from tests.support.server import CommandResult

SECRET = "a-secret-of-the-tests-long-enough-for-every-purpose"
OTHER = "another-secret-of-the-tests-long-enough-for-it-all"
PRODUCTS = "product_id,code,brand,name,price,stock\nA100,M-1,Harbour,Mug,14.00,5\nB200,B-1,Harbour,Bowl,18.5,7\n"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """With an empty database that has one store, `shop`."""
    folder = tmp_path_factory.mktemp("operator")
    operator = Operator(
        folder, {"AUTHSRV_DATABASE_URL": f"sqlite:///{folder}/authsrv.db", "AUTHSRV_SECRET_KEYS": SECRET}
    )
    assert operator.ask("migrate") == {"migrated": True}
    assert operator.ask("stores", "create", "shop", "--name", "A shop")["currency"] == "EUR"
    return operator


def test_migrating_twice_changes_nothing(operator: Operator) -> None:
    assert operator.ask("migrate") == {"migrated": False}


def test_a_person_is_made_once_and_then_gains_what_is_named(operator: Operator) -> None:
    first = operator.ask("users", "create", "Olive@Example.com", "--store", "shop", "--role", "owner")
    second = operator.ask(
        "users", "create", "olive@example.com", "--store", "shop", "--customer-api", "--operator", "--password-stdin",
        text="correct horse battery\n",
    )  # fmt: skip
    assert first["email"] == second["email"] == "olive@example.com"
    assert first["id"] == second["id"]
    assert (first["role"], first["is_operator"], first["customer_api"]) == ("owner", False, False)
    # The role stays what it was: it was not named again.
    assert (second["role"], second["is_operator"], second["customer_api"]) == ("owner", True, True)


@pytest.mark.parametrize("named", ["customer", "staff"])
def test_naming_a_lower_role_than_somebody_has_changes_nothing(operator: Operator, named: str) -> None:
    operator.ask("stores", "create", f"only-{named}", "--name", "Owned by one")
    person = ("otto@example.com", "--store", f"only-{named}")
    operator.ask("users", "create", *person, "--role", "owner")
    assert operator.ask("users", "create", *person, "--role", named)["role"] == "owner"
    (owner,) = operator.ask("staff", "list", "--store", f"only-{named}")
    assert (owner["email"], owner["role"]) == ("otto@example.com", "owner")


def test_who_is_raised_step_by_step_stands_in_the_log_with_each_step(operator: Operator) -> None:
    operator.ask("stores", "create", "ladder", "--name", "A ladder")
    person = ("rita@example.com", "--store", "ladder")
    for role in ("customer", "staff", "staff", "owner", "customer"):
        operator.ask("users", "create", *person, "--role", role)
    events = operator.ask("audit", "--subject", "ladder", "--event", "staff.joined")
    assert [(event["actor"], event["details"]) for event in reversed(events)] == [
        ("cli", {"email": "rita@example.com", "role": "staff"}),
        ("cli", {"email": "rita@example.com", "role": "owner"}),
    ]


def test_an_operators_right_is_taken_and_nothing_else(operator: Operator) -> None:
    person = operator.ask("users", "create", "opal@example.com", "--store", "shop", "--role", "staff", "--operator")
    assert person["is_operator"]
    assert operator.run("users", "demote", "opal@example.com").exit_code == 2
    assert not operator.ask("users", "demote", "Opal@example.com", "--operator")["is_operator"]
    assert operator.ask("users", "create", "opal@example.com", "--store", "shop")["role"] == "staff"
    (event,) = operator.ask("audit", "--subject", "opal@example.com", "--event", "operator.demoted")
    assert event["actor"] == "cli"
    again = operator.run("users", "demote", "opal@example.com", "--operator")
    assert (again.exit_code, again.stderr) == (1, "opal@example.com is no operator.\n")
    nobody = operator.run("users", "demote", "nobody@example.com", "--operator")
    assert (nobody.exit_code, nobody.stderr) == (1, "There is no person nobody@example.com.\n")


def test_a_person_is_renamed(operator: Operator) -> None:
    operator.ask("users", "create", "nell@example.com")
    assert operator.ask("users", "rename", "nell@example.com", " Nell   Noon ")["name"] == "Nell Noon"
    assert operator.ask("users", "list", "--search", "nell noon")[0]["email"] == "nell@example.com"
    refused = operator.run("users", "rename", "nell@example.com", "n" * 201)
    assert (refused.exit_code, refused.stderr) == (1, "name: has 200 characters at most\n")


def test_stores_are_listed_and_found_by_a_part_of_their_name(operator: Operator) -> None:
    made = operator.ask("stores", "create", "harbour", "--name", "Harbour & Hearth", "--currency", "USD")
    assert made in operator.ask("stores", "list")
    assert operator.ask("stores", "list", "--search", "hearth") == [made]
    assert operator.ask("stores", "list", "--search", "nowhere") == []
    assert "Harbour & Hearth" in operator.run("stores", "list").stdout
    assert operator.run("stores", "list", "--search", "nowhere").stdout == "No stores.\n"
    assert operator.run("stores", "list", "--limit", "0").exit_code == 2


def test_a_name_that_looks_like_markup_is_shown_as_it_is(operator: Operator) -> None:
    operator.ask("stores", "create", "brackets", "--name", "[/bold] \x1b[31mred")
    table = operator.run("stores", "list", "--search", "brackets").stdout
    assert "[/bold] \ufffd[31mred" in table


def test_an_app_is_made_shown_rotated_and_listed(operator: Operator) -> None:
    made = operator.ask(
        "apps", "create", "Warehouse sync", "--developer", "dev@example.com", "--type", "service", "--store", "shop",
        "--scope", "orders:read orders:write",
    )  # fmt: skip
    client_id, secret = made["client_id"], made.pop("client_secret")
    assert is_well_formed("cs_", secret)
    assert made["store"] == "shop"
    assert made["scope"] == "orders:read orders:write"
    assert made["grant_types"] == ["client_credentials"]
    # The secret is shown once.
    assert operator.ask("apps", "show", client_id) == made
    rotated = operator.ask("apps", "rotate-secret", client_id)
    assert is_well_formed("cs_", rotated["client_secret"])
    assert rotated["client_secret"] != secret
    assert operator.ask("apps", "approve", client_id)["status"] == "approved"
    listed = operator.ask("apps", "list")
    assert client_id in [app["client_id"] for app in listed]
    assert secret not in json.dumps(listed)
    assert all("client_secret" not in app for app in listed)
    table = operator.run("apps", "list")
    assert table.exit_code == 0
    assert client_id in table.stdout


def test_products_come_from_csv_and_from_json_and_can_be_changed(operator: Operator) -> None:
    csv_file, json_file = operator.folder / "products.csv", operator.folder / "products.json"
    csv_file.write_text("\ufeff" + PRODUCTS, encoding="utf-8")
    json_file.write_text(
        json.dumps([{"product_id": "A100", "code": "M-1", "name": "Mug", "price": 15, "stock": 3, "currency": "EUR"}])
    )
    assert operator.ask("products", "import", str(csv_file), "--store", "shop") == {"store": "shop", "imported": 2}
    assert operator.ask("products", "import", str(json_file), "--store", "shop") == {"store": "shop", "imported": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column product_id, code, name, price, stock"),
        ("hello", "no column"),
        ("product_id;code", "no column"),
        ("product_id,code,name,price\nA,B,C,1", "no column stock"),
        ('{"products": []}', "not a JSON array"),
        ("{", "is not JSON"),
        ('[{"product_id": "J\\u0000", "code": "c", "name": "n", "price": 1, "stock": 1}]', "control characters"),
        (f"product_id,code,name,price,stock\nA,B,{'C' * 140_000},1,1", "is not CSV"),
        ("product_id,code,name,price,stock\nA,B,C,1,1,blue", "row 1: has more cells than the header"),
        ("[7]", "row 1: is not an object"),
    ],
)
def test_a_file_that_holds_no_products_is_refused(operator: Operator, text: str, said: str) -> None:
    file = operator.folder / "odd"
    file.write_text(text)
    refused = operator.run("products", "import", str(file), "--store", "shop", "--json")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert said in refused.stderr


def test_keys_are_listed_and_rotated_and_no_second_time_too_soon(operator: Operator) -> None:
    rotated = operator.ask("keys", "rotate")
    assert sorted(key["state"] for key in rotated) == ["announced"] * 3 + ["signing"] * 3
    assert operator.ask("keys", "rotate") == operator.ask("keys", "list") == rotated
    assert operator.ask("grants", "list") == []


def tell(result: CommandResult) -> str:
    return f"{result.exit_code}: {result.stdout!r} {result.stderr!r}"


def test_what_cannot_be_done_ends_with_1_and_says_why(operator: Operator) -> None:
    bad = operator.folder / "bad.csv"
    bad.write_text(PRODUCTS.replace("18.5,", "a lot,"))
    refusals = {
        ("stores", "create", "shop", "--name", "Again"): "already",
        ("stores", "create", "No Prefix", "--name", "x"): "prefix",
        ("stores", "create", "other", "--name", "x", "--currency", "ABC"): "ISO 4217",
        ("users", "create", "nobody", "--json"): "@",
        ("users", "create", "x@example.com", "--store", "nowhere"): "no store nowhere",
        ("apps", "show", "nobody", "--json"): "no app nobody",
        ("apps", "create", "x", "--developer", "d@example.com", "--type", "service", "--scope", "all"): "scope",
        ("apps", "create", "x", "--developer", "d@example.com", "--type", "web"): "redirect_uri",
        ("products", "import", str(bad), "--store", "shop"): "row 2: price",
        ("products", "import", "nowhere.csv", "--store", "shop"): "nowhere.csv",
        ("grants", "revoke", "nothing"): "no living grant",
    }
    for args, said in refusals.items():
        result = operator.run(*args)
        assert result.exit_code == 1, (args, tell(result))
        assert result.stdout == ""
        assert said in result.stderr


def test_what_cannot_be_understood_ends_with_2(operator: Operator) -> None:
    misuses = [
        ("magic",),
        ("apps", "create", "x"),
        ("apps", "create", "x", "--developer", "d@example.com", "--type", "robot"),
        ("users", "create", "x@example.com", "--role", "owner"),
        ("serve", "--port", "0"),
    ]
    for args in misuses:
        result = operator.run(*args)
        assert result.exit_code == 2, (args, tell(result))
        assert result.stdout == ""


def test_processes_end_with_the_same_and_print_nothing_else(operator: Operator) -> None:
    done = operator.run_process("apps", "list", "--json")
    refused = operator.run_process("apps", "show", "nobody", "--json")
    misused = operator.run_process("apps", "create", "--json")
    assert isinstance(done.json(), list)
    assert done.stderr == refused.stdout == misused.stdout == ""
    assert (done.exit_code, refused.exit_code, misused.exit_code) == (0, 1, 2)
    assert "no app nobody" in refused.stderr
    assert "Traceback" not in refused.stderr + misused.stderr


def test_settings_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "authsrv.toml").write_text("isuer = 1")
    operator = Operator(tmp_path, {})
    wrong = {
        "did you mean issuer?": {"AUTHSRV_CONFIG": "authsrv.toml"},
        "AUTHSRV_ISSUER": {},
        "secret_keys": {"AUTHSRV_ISSUER": "https://x.example", "AUTHSRV_SECRET_KEYS": "short"},
        "database_url": {
            "AUTHSRV_ISSUER": "https://x.example",
            "AUTHSRV_SECRET_KEYS": SECRET,
            "AUTHSRV_DATABASE_URL": "mysql://x/y",
        },
        "reached|away": {
            "AUTHSRV_ISSUER": "https://x.example",
            "AUTHSRV_SECRET_KEYS": SECRET,
            "AUTHSRV_DATABASE_URL": "postgresql://x@127.0.0.1:1/x",
        },
    }
    for told, settings in wrong.items():
        result = operator.run("serve", **settings)
        assert result.exit_code == 1, tell(result)
        assert any(word in result.stderr for word in told.split("|")), tell(result)


def test_check_shows_what_is_unsafe_and_no_secret(operator: Operator) -> None:
    unsafe = operator.run("check", "--json", AUTHSRV_ISSUER="http://127.0.0.1:8000")
    assert unsafe.exit_code == 1
    told = json.loads(unsafe.stdout)
    assert [finding["name"] for finding in told["findings"] if finding["unsafe"]][:1] == ["issuer"]
    assert all(finding["remedy"] for finding in told["findings"])
    assert SECRET not in unsafe.stdout + unsafe.stderr
    for_people = operator.run("check", AUTHSRV_ISSUER="http://127.0.0.1:8000", AUTHSRV_MADE_UP="1")
    assert for_people.exit_code == 1
    assert "UNSAFE  issuer" in for_people.stdout
    assert "AUTHSRV_MADE_UP" in for_people.stdout
    assert SECRET not in for_people.stdout + for_people.stderr


def test_check_tells_of_a_webhook_whose_secret_cannot_be_opened(operator: Operator) -> None:
    made = operator.ask("webhooks", "create", "https://shop.example/hook", "--store", "shop")
    name = f"webhook {made['id']}"

    def found(secrets: str) -> dict[str, dict[str, str]]:
        checked = json.loads(operator.run("check", "--json", AUTHSRV_SECRET_KEYS=secrets).stdout)
        return {finding["name"]: finding for finding in checked["findings"]}

    assert name not in found(SECRET)
    assert name not in found(f"{OTHER},{SECRET}")
    told = found(OTHER)[name]
    assert told["unsafe"]
    assert "rotate-secret" in told["remedy"]


def test_a_webhook_is_changed_and_switched_off_and_on(operator: Operator) -> None:
    made = operator.ask("webhooks", "create", "https://shop.example/hook", "--store", "shop")
    changed = operator.ask("webhooks", "change", made["id"], "--url", "https://shop.example/h2")
    assert (changed["url"], changed["events"]) == ("https://shop.example/h2", made["events"])
    changed = operator.ask("webhooks", "change", made["id"], "--event", "order.cancelled")
    assert (changed["url"], changed["events"]) == ("https://shop.example/h2", ["order.cancelled"])
    refused = operator.run("webhooks", "change", made["id"], "--url", "http://shop.example")
    assert refused.exit_code == 1
    assert "https" in refused.stderr
    assert operator.run("webhooks", "change", made["id"]).exit_code == 2
    assert operator.ask("webhooks", "disable", made["id"])["status"] == "off"
    assert [
        one["status"] for one in operator.ask("webhooks", "list", "--store", "shop") if one["id"] == made["id"]
    ] == ["off"]
    assert operator.ask("webhooks", "enable", made["id"])["status"] == "on"


def test_initial_access_tokens_are_made_listed_and_revoked(operator: Operator) -> None:
    made = operator.ask("registration", "token", "create", "--name", "A partner", "--expires", "3600")
    assert made["initial_access_token"].startswith("ia_")
    assert (made["name"], made["status"]) == ("A partner", "active")
    listed = operator.ask("registration", "token", "list")
    assert [token["id"] for token in listed] == [made["id"]]
    assert made["initial_access_token"] not in json.dumps(listed)
    assert operator.ask("registration", "token", "revoke", made["id"]) == {"id": made["id"], "status": "revoked"}
    assert operator.run("registration", "token", "revoke", made["id"]).exit_code == 1
    assert operator.ask("registration", "token", "list")[0]["status"] == "revoked"
