"""What developers do at the portal, at the shell: changing an app, its secrets, its team, its end."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.actors import Operator

SECRET = "a-secret-of-the-tests-long-enough-for-every-purpose"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    folder = tmp_path_factory.mktemp("operator")
    settings = {
        "AUTHSRV_DATABASE_URL": f"sqlite:///{folder}/authsrv.db",
        "AUTHSRV_SECRET_KEYS": SECRET,
        "AUTHSRV_ISSUER": "https://auth.example",
    }
    return Operator(folder, settings)


def make(operator: Operator, *options: str) -> dict[str, Any]:
    uri = ("--redirect-uri", "https://app.example/back")
    made: dict[str, Any] = operator.ask(
        "apps", "create", "Parcels", "--developer", "dev@example.com", "--type", "web", *uri, *options
    )
    return made


def test_an_app_is_changed_at_once_even_when_it_is_approved(operator: Operator) -> None:
    app = make(operator, "--approved")["client_id"]
    changed = operator.ask(
        "apps", "update", app, "--name", "Parcels 2", "--redirect-uri", "https://b.example", "--scope", "openid",
        "--home-page", "https://app.example", "--privacy", "https://app.example/p", "--terms", "https://app.example/t",
    )  # fmt: skip
    assert (changed["name"], changed["redirect_uris"], changed["scope"]) == (
        "Parcels 2",
        ["https://b.example"],
        "openid",
    )
    assert (changed["home_page"], changed["privacy"], changed["terms"]) == (
        "https://app.example",
        "https://app.example/p",
        "https://app.example/t",
    )
    refused = operator.run("apps", "update", app, "--redirect-uri", "http://b.example")
    assert refused.exit_code == 1
    assert "must be https" in refused.stderr


def test_a_logo_is_given_and_taken(operator: Operator) -> None:
    app = make(operator)["client_id"]
    drawn = BytesIO()
    Image.new("RGB", (40, 20)).save(drawn, "WEBP")
    (operator.folder / "logo.webp").write_bytes(drawn.getvalue())
    (operator.folder / "no.png").write_text("no picture")
    given = operator.ask("apps", "update", app, "--logo", "logo.webp")
    assert given["logo"].startswith("https://auth.example/logos/")
    assert operator.ask("apps", "update", app, "--no-logo")["logo"] is None
    refused = operator.run("apps", "update", app, "--logo", "no.png")
    assert (refused.exit_code, refused.stderr.strip()) == (1, "no.png: is no PNG, JPEG or WebP picture.")


def test_secrets_live_two_at_a_time(operator: Operator) -> None:
    app = make(operator)["client_id"]
    added = operator.ask("apps", "secrets", "add", app)
    assert added["client_secret"].startswith("cs_")
    assert operator.run("apps", "secrets", "add", app).exit_code == 1
    newer, older = operator.ask("apps", "secrets", "list", app)
    assert newer["last_four"] == added["client_secret"][-4:]
    set_to = operator.ask("apps", "secrets", "end", app, newer["id"], "--at", "2999-01-01")
    assert set_to[0]["expires_at"].startswith("2999-01-01")
    assert operator.ask("apps", "secrets", "end", app, newer["id"], "--at", "never")[0]["expires_at"] is None
    left = operator.ask("apps", "secrets", "end", app, older["id"])
    assert [secret["id"] for secret in left] == [newer["id"]]
    assert operator.run("apps", "secrets", "end", app, older["id"]).exit_code == 1
    assert operator.run("apps", "secrets", "end", app, newer["id"], "--at", "soon").exit_code == 1


def test_a_team_always_has_an_admin(operator: Operator) -> None:
    app = make(operator)["client_id"]
    assert [member["role"] for member in operator.ask("apps", "team", "list", app)] == ["admin"]
    operator.ask("apps", "team", "add", app, "Second@example.com")
    assert operator.run("apps", "team", "add", app, "second@example.com").exit_code == 1
    assert operator.run("apps", "team", "remove", app, "dev@example.com").exit_code == 1
    operator.ask("apps", "team", "role", app, "second@example.com", "admin")
    left = operator.ask("apps", "team", "remove", app, "dev@example.com")
    assert [(member["email"], member["role"]) for member in left] == [("second@example.com", "admin")]
    assert operator.run("apps", "team", "role", app, "second@example.com", "viewer").exit_code == 1


def test_approval_is_asked_for_and_events_are_listed(operator: Operator) -> None:
    app = make(operator)["client_id"]
    operator.ask("apps", "ask-approval", app, "--text", "It prints labels.")
    assert operator.run("apps", "ask-approval", app, "--text", "It prints labels.").exit_code == 1
    assert [event["event"] for event in operator.ask("apps", "events", app)] == [
        "approval.requested",
        "client.created",
    ]


def test_keys_take_the_place_of_secrets(operator: Operator, tmp_path: Path) -> None:
    app = make(operator)["client_id"]
    changed = operator.ask("apps", "update", app, "--jwks-uri", "https://app.example/jwks")
    assert changed["token_endpoint_auth_method"] == "private_key_jwt"
    assert operator.ask("apps", "secrets", "list", app) == []
    again = operator.ask("apps", "update", app, "--secrets")
    assert again["jwks_uri"] is None


def test_an_app_is_deleted_by_name(operator: Operator) -> None:
    app = make(operator)["client_id"]
    assert operator.run("apps", "delete", app, "--name", "Parcel").exit_code == 1
    assert operator.ask("apps", "delete", app, "--name", "Parcels") == {"deleted": True}
    assert operator.run("apps", "show", app).exit_code == 1
    assert app not in [one["client_id"] for one in operator.ask("apps", "list")]
