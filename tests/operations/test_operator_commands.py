"""What an operator and a store's owner do at their pages, done at the shell."""

from pathlib import Path
from typing import Any

import pytest

from tests.actors import Operator

SECRET = "a-secret-of-the-tests-long-enough-for-every-purpose"
CALLBACK = "https://parcels.example/back"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """With an empty database that has one store, `shop`, and its owner."""
    folder: Path = tmp_path_factory.mktemp("operator")
    operator = Operator(
        folder, {"AUTHSRV_DATABASE_URL": f"sqlite:///{folder}/authsrv.db", "AUTHSRV_SECRET_KEYS": SECRET}
    )
    operator.ask("migrate")
    operator.ask("stores", "create", "shop", "--name", "A shop")
    operator.ask("users", "create", "olive@example.com", "--store", "shop", "--role", "owner")
    return operator


def make_app(operator: Operator, name: str) -> str:
    options = ("--developer", "dev@example.com", "--type", "web", "--redirect-uri", CALLBACK, "--scope", "orders:read")
    client_id: str = operator.ask("apps", "create", name, *options)["client_id"]
    return client_id


def requests_of(operator: Operator, client_id: str) -> list[Any]:
    """The open ones of this app; other tests have theirs."""
    return [one for one in operator.ask("apps", "requests") if one["client_id"] == client_id]


def test_a_request_is_seen_and_decided_with_a_reason(operator: Operator) -> None:
    client_id = make_app(operator, "Parcels")
    operator.ask("apps", "ask-approval", client_id, "--text", "We track parcels.")
    (waiting,) = requests_of(operator, client_id)
    assert waiting["text"] == "We track parcels."
    refused = operator.ask("apps", "refuse", waiting["id"], "--reason", "No privacy policy")
    decided = {"id": waiting["id"], "client_id": client_id, "kind": "app", "approved": False}
    assert refused == {**decided, "mailed": 0}
    assert requests_of(operator, client_id) == []
    assert operator.run("apps", "accept", waiting["id"], "--reason", "Yes").exit_code == 1
    operator.ask("apps", "ask-approval", client_id, "--text", "We have one now.")
    again = requests_of(operator, client_id)[0]["id"]
    assert operator.ask("apps", "accept", again, "--reason", "Good")["approved"]
    assert operator.ask("apps", "show", client_id)["status"] == "approved"
    events = operator.ask("audit", "--subject", client_id, "--event", "approval.*")
    assert [event["event"] for event in events] == [
        "approval.approved",
        "approval.requested",
        "approval.refused",
        "approval.requested",
    ]
    assert events[2]["details"]["reason"] == "No privacy policy"


def test_what_was_asked_for_is_withdrawn_once_and_can_be_asked_anew(operator: Operator) -> None:
    client_id = make_app(operator, "Hesitant")
    operator.ask("apps", "ask-approval", client_id, "--text", "We are not sure.")
    (waiting,) = requests_of(operator, client_id)
    told = operator.ask("apps", "withdraw", waiting["id"])
    assert told == {"id": waiting["id"], "client_id": client_id, "kind": "app", "withdrawn": True}
    assert requests_of(operator, client_id) == []
    (event,) = operator.ask("audit", "--subject", client_id, "--event", "approval.withdrawn")
    assert (event["actor"], event["details"]) == ("cli", {"kind": "app"})
    again = operator.run("apps", "withdraw", waiting["id"])
    assert (again.exit_code, again.stderr) == (1, "The request was settled already.\n")
    operator.ask("apps", "ask-approval", client_id, "--text", "We are, now.")


@pytest.mark.parametrize("request_id", ["nothing", "01890000-0000-7000-8000-000000000000"])
def test_a_request_that_there_is_not_cannot_be_withdrawn(operator: Operator, request_id: str) -> None:
    refused = operator.run("apps", "withdraw", request_id)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "no" in refused.stderr


def test_the_log_is_filtered_by_actor_and_time(operator: Operator) -> None:
    make_app(operator, "Logged")
    assert {event["actor"] for event in operator.ask("audit", "--actor", "cli", "--limit", "3")} == {"cli"}
    assert operator.ask("audit", "--until", "2020-01-01") == []
    assert len(operator.ask("audit", "--since", "2020-01-01", "--limit", "2")) == 2
    assert operator.ask("audit", "--event", "no.such") == []


def test_a_person_is_suspended_and_resumed(operator: Operator) -> None:
    operator.ask("users", "create", "casey@example.com", "--store", "shop")
    assert (
        operator.ask("users", "suspend", "Casey@Example.com", "--reason", "A stolen account")["status"] == "suspended"
    )
    assert operator.ask("users", "list", "--search", "casey")[0]["status"] == "suspended"
    assert operator.ask("users", "resume", "casey@example.com", "--reason", "Returned")["status"] == "active"
    events = operator.ask("audit", "--subject", "casey@example.com", "--event", "user.*")
    assert [event["event"] for event in events] == ["user.resumed", "user.suspended", "user.changed"]
    assert operator.run("users", "suspend", "nobody@example.com", "--reason", "x").exit_code == 1


def test_usage_of_an_app_is_told(operator: Operator) -> None:
    client_id = make_app(operator, "Counted")
    assert operator.ask("usage", client_id) == []
    assert operator.run("usage", "app_none").exit_code == 1


def test_staff_are_listed_and_removed_but_for_the_last_owner(operator: Operator) -> None:
    operator.ask("users", "create", "sam@example.com", "--store", "shop", "--role", "staff")
    staff = operator.ask("staff", "list", "--store", "shop")
    assert [(one["email"], one["role"]) for one in staff] == [
        ("olive@example.com", "owner"),
        ("sam@example.com", "staff"),
    ]
    assert operator.ask("staff", "remove", "sam@example.com", "--store", "shop")["removed"]
    refused = operator.run("staff", "remove", "olive@example.com", "--store", "shop")
    assert "needs another owner" in refused.stderr
    assert operator.run("staff", "list", "--store", "none").exit_code == 1


def test_an_app_is_disconnected_from_a_store(operator: Operator) -> None:
    options = ("--developer", "dev@example.com", "--type", "service", "--store", "shop", "--scope", "orders:read")
    client_id = operator.ask("apps", "create", "Sync", *options)["client_id"]
    assert [one["client_id"] for one in operator.ask("staff", "apps", "--store", "shop")] == [client_id]
    of_key = ("--developer", "dev@example.com", "--store", "shop", "--scope", "orders:read", "--app", client_id)
    key = operator.ask("api-keys", "create", "Till", *of_key)
    assert operator.ask("staff", "disconnect", client_id, "--store", "shop")["disconnected"]
    assert operator.ask("staff", "apps", "--store", "shop") == []
    statuses = {one["id"]: one["status"] for one in operator.ask("api-keys", "list")}
    assert statuses[key["id"]] == "revoked"
    assert operator.run("staff", "disconnect", client_id, "--store", "shop").exit_code == 1
