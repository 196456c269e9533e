"""`authsrv serve`: starts when it can, tells why when it cannot, hears of what operators do, stops when asked."""

import json
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.actors import ORDER, Operator, bearer
from tests.support.databases import migrate_to_head
from tests.support.plain_http import NO_TLS
from tests.support.server import ServerProcess
from tests.support.traffic import last_granted

SECRET = "a-secret-of-the-tests-long-enough-for-every-purpose"
GRANT = {"grant_type": "client_credentials"}
WITHIN_SECONDS = 1.0


def test_an_old_schema_on_postgresql_is_refused_with_the_command_to_run(postgres_url: str, tmp_path: Path) -> None:
    settings = {"AUTHSRV_DATABASE_URL": postgres_url, "AUTHSRV_SECRET_KEYS": SECRET}
    operator = Operator(tmp_path, settings)
    refused = operator.run("serve", AUTHSRV_ISSUER="http://127.0.0.1:1")
    assert refused.exit_code == 1
    assert "authsrv migrate" in refused.stderr
    # Commands say the same, and the command they name is enough.
    assert "authsrv migrate" in operator.run("apps", "list").stderr
    assert operator.ask("migrate") == {"migrated": True}
    with operator.serve() as server:
        assert httpx.get(f"{server.url}/readyz", verify=NO_TLS).status_code == 200
        assert server.stop() == 0


def test_a_fresh_folder_gets_a_database_and_a_secret_of_its_own(tmp_path: Path) -> None:
    operator = Operator(tmp_path, {"AUTHSRV_SERVICE_HOST": "10.0.0.1"})
    with operator.serve() as server:
        assert "AUTHSRV_SERVICE_HOST is no setting" in server.log()
        secret_file = tmp_path / "var" / "secret_keys"
        assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600
        files = list((tmp_path / "var").glob("authsrv.db*"))
        assert {path.name for path in files} == {"authsrv.db", "authsrv.db-wal", "authsrv.db-shm"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        secret = secret_file.read_text()
        assert secret.strip() not in server.log()
        kids = {key["kid"] for key in httpx.get(f"{server.url}/oauth/jwks", verify=NO_TLS).json()["keys"]}
        assert server.stop() == 0
        # What was there is there again.
        server.start()
        assert {key["kid"] for key in httpx.get(f"{server.url}/oauth/jwks", verify=NO_TLS).json()["keys"]} == kids
        assert secret_file.read_text() == secret
        # Ctrl-C is as good as SIGTERM.
        server.process_tree()[0].send_signal(signal.SIGINT)
        eventually(lambda: not server.is_running())
        assert "Traceback" not in server.log()


def eventually(is_so: Callable[[], bool]) -> float:
    """Seconds until it is so; AssertionError when it never is."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < 10, "it never was"
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_running_server_hears_of_operators_within_a_second_and_its_logs_hold_no_secret(
    tmp_path: Path, empty_url: str
) -> None:
    migrate_to_head(empty_url)
    settings = {"AUTHSRV_DATABASE_URL": empty_url, "AUTHSRV_SECRET_KEYS": SECRET, "AUTHSRV_LOG_LEVEL": "DEBUG"}
    operator = Operator(tmp_path, settings)
    with operator.serve(AUTHSRV_LOG="json") as server, httpx.Client(verify=NO_TLS, base_url=server.url) as http:
        # A client, a store and a secret that come into being while it runs.
        operator.ask("stores", "create", "shop", "--name", "A shop", "--currency", "USD")
        products = tmp_path / "products.csv"
        products.write_text("product_id,code,name,price,stock\nA100,A,Mug,14.00,9\nB200,B,Bowl,18.50,9\n")
        operator.ask("products", "import", str(products), "--store", "shop")
        made = operator.ask(
            "apps", "create", "Sync", "--developer", "dev@example.com", "--type", "service", "--store", "shop",
            "--scope", "orders:read orders:write",
        )  # fmt: skip
        client_id, secret = made["client_id"], made["client_secret"]

        def status(with_secret: str) -> int:
            return http.post("/oauth/token", data=GRANT, auth=(client_id, with_secret)).status_code

        token = http.post("/oauth/token", data=GRANT, auth=(client_id, secret)).json()["access_token"]
        assert http.post("/orders", json=ORDER, headers=bearer(token)).status_code == 201

        rotated = operator.ask("apps", "rotate-secret", client_id, "--revoke-old")["client_secret"]
        # The command ends after its commit, so the second has begun before it did.
        done_at = time.monotonic()
        assert eventually(lambda: status(rotated) == 200) < WITHIN_SECONDS
        assert last_granted(lambda: status(secret), done_at) < WITHIN_SECONDS

        operator.ask("apps", "suspend", client_id)
        done_at = time.monotonic()
        assert last_granted(lambda: http.get("/orders", headers=bearer(token)).status_code, done_at) < WITHIN_SECONDS
        assert last_granted(lambda: status(rotated), done_at) < WITHIN_SECONDS

        operator.ask("apps", "resume", client_id)
        assert eventually(lambda: status(rotated) == 200) < WITHIN_SECONDS
        assert http.get("/orders", headers=bearer(token)).status_code == 401

        secrets = [secret, rotated, token, SECRET, *misbehave(http, client_id, rotated)]
        assert server.stop() == 0
        lines = server.log().splitlines()
        assert any('"request"' in line for line in lines)
        for line in lines:
            # Every line is one JSON object, and none of them tells.
            json.loads(line)
            assert not [secret for secret in secrets if secret in line or secret[8:40] in line]


def misbehave(http: httpx.Client, client_id: str, secret: str) -> list[str]:
    """Sends credentials by every wrong way there is; returns what must not be seen again."""
    token: str = http.post("/oauth/token", data=GRANT, auth=(client_id, secret)).json()["access_token"]
    both = {"client_id": client_id, "client_secret": secret}
    http.post("/oauth/token", params={**GRANT, **both})
    http.post("/oauth/token", data={**GRANT, **both}, auth=(client_id, secret))
    http.post("/oauth/token", data={**GRANT, **both, "scope": secret})
    http.post("/oauth/token", json={**GRANT, **both})
    http.post("/oauth/token", content=f"client_secret={secret}&client_secret={secret}".encode() + b"\xff")
    http.post("/oauth/token", data={**GRANT, "resource": token, secret: secret}, auth=(client_id, secret))
    http.post("/oauth/introspect", data={"token": token}, auth=(client_id, secret))
    http.post("/oauth/introspect", params={"token": token}, auth=(client_id, secret))
    http.post("/oauth/revoke", data={"token": token, "token_type_hint": token}, auth=(client_id, secret))
    http.get("/orders", params={"access_token": token})
    http.get("/orders", params={"after": token}, headers=bearer(token))
    http.get(f"/orders/{token[:100]}", headers=bearer(token))
    http.get(f"/nowhere/{token[:100]}")
    http.post("/orders", json={**ORDER, "payment_details": {"card_number": "4111111111111111"}}, headers=bearer(token))
    return [token, "4111111111111111"]


def test_sigterm_ends_all_workers_in_order(tmp_path: Path) -> None:
    with Operator(tmp_path, {}).serve("--workers", "2") as server:
        assert len(server.workers()) == 2
        assert httpx.get(f"{server.url}/healthz", verify=NO_TLS).status_code == 200
        assert server.stop() == 0
        assert "Traceback" not in server.log()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = Operator(tmp_path, {}).run("serve", "--port", port, AUTHSRV_ISSUER="http://127.0.0.1")
    assert refused.exit_code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in refused.stderr


def test_the_demo_shows_two_commands_that_work_when_they_are_pasted(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, {"AUTHSRV_DATABASE_URL": f"sqlite:///{tmp_path}/demo.db"}, "--demo") as server:
        commands = [line for line in server.log().splitlines() if line.startswith("curl ")]
        assert len(commands) >= 2
        answers = [
            json.loads(subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout)
            for command in commands[:2]
        ]
    assert answers[0]["token_type"] == "Bearer"
    assert answers[1]["status"] == "pending"
