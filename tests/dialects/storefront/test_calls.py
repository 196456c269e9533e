"""The document's calls, run by curl as they are printed, host and credentials aside, on the demo as it is served.

In print the second call of `DELETE` has lost its closing quote; it has it here.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.plain_http import NO_TLS
from tests.support.server import REPOSITORY, ServerProcess

_TEXT = Path(__file__).with_name("calls.txt").read_text()
CALLS = dict(re.findall(r"^## ([^\n]+)\n(.+?)(?=\n\n## |\n\Z)", _TEXT, re.DOTALL | re.MULTILINE))
PRINTED = {
    "host": "https://demo.getvendo.com",
    "email": "[email\xa0protected]",
    "code": "123456",
    "access_token": "Es9lLPW2mVaDB80I-I_OdQCw3JfOT1s19YN1naFWx98",
    "refresh_token": "j92BxulqIIYtiiaBsuAM1TzGsGSVxaykT4kk8OYHGNY",
    "order_token": "zTEpsukRq_yEUcXVCSv0uw1632867307450",
}
EMAIL = "vendo.demo@example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    settings = {"AUTHSRV_DEMO": "true", "AUTHSRV_LOG_LEVEL": "DEBUG", "AUTHSRV_LOG": "json"}
    with ServerProcess(tmp_path_factory.mktemp("calls"), settings) as running:
        yield running


def call(server: ServerProcess, name: str, **values: str) -> tuple[int, Any]:
    """Status and body of the printed call with these values in the place of the printed ones."""
    command = CALLS[name]
    for printed, value in {"host": server.url, "email": EMAIL, **values}.items():
        command = command.replace(PRINTED[printed], value)
    # Only what curl itself says about the transfer is added.
    command = command.replace("curl ", "curl --silent --write-out '\\n%{http_code}' ", 1)
    finished = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=True)
    body, _, status = finished.stdout.rpartition("\n")
    return int(status), json.loads(body) if body else None


def newest_code(server: ServerProcess) -> str:
    mail = httpx.get(f"{server.url}/dev/outbox.json", verify=NO_TLS).json()[0]
    assert mail["to"] == EMAIL
    found = re.search(r"\b\d{6}\b", mail["subject"])
    assert found is not None
    return found[0]


def test_every_call_of_the_document_works_as_printed(server: ServerProcess) -> None:
    """Sentences 5, 6, 8, 11, 13, 17, 18, 20 and 22, each with its call."""
    assert call(server, "code") == (200, {"message": "Code sent"})
    assert call(server, "code with names") == (200, {"message": "Code sent"})
    status, tokens = call(server, "tokens", code=newest_code(server))
    assert status == 200
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "created_at"}
    status, fresh = call(server, "refresh", refresh_token=tokens["refresh_token"])
    assert (status, fresh.keys()) == (200, tokens.keys())
    status, account = call(server, "account", access_token=fresh["access_token"])
    assert status == 200
    names = {name: account["data"]["attributes"][name] for name in ("email", "first_name", "last_name")}
    assert names == {"email": EMAIL, "first_name": "Vendo", "last_name": "Demo"}
    assert call(server, "revoke access token", access_token=fresh["access_token"]) == (204, None)
    assert call(server, "account", access_token=fresh["access_token"])[0] == 401
    assert call(server, "account", access_token=tokens["access_token"])[0] == 200
    assert call(server, "revoke refresh token", refresh_token=fresh["refresh_token"]) == (204, None)
    assert call(server, "account", access_token=tokens["access_token"])[0] == 401
    status, cart = call(server, "create cart")
    assert status == 201
    token = cart["data"]["attributes"]["token"]
    assert call(server, "read cart", order_token=token) == (200, cart)
    # As printed to the letter, with tokens that are none of ours.
    assert [call(server, name)[0] for name in ("refresh", "account", "read cart")] == [401, 401, 401]
    assert [call(server, f"revoke {kind} token")[0] for kind in ("access", "refresh")] == [204, 204]
    _stands_in_no_log(server, tokens, fresh, token)


def test_what_our_page_tells_people_to_type_leads_to_an_order(server: ServerProcess) -> None:
    page = (REPOSITORY / "docs/dialects/storefront.md").read_text()
    (script,) = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    finished = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=script.replace("http://127.0.0.1:8000", server.url),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    sent, tokens, *_, order = [json.loads(line) for line in finished.stdout.splitlines() if line]
    assert sent == {"message": "Code sent"}
    assert tokens["token_type"] == "Bearer"
    assert order["data"]["attributes"]["state"] == "complete"


def _stands_in_no_log(server: ServerProcess, tokens: Any, fresh: Any, order_token: str) -> None:
    # Paths that are not there, too: what is logged of them is that there is none.
    for path in (f"auth/{tokens['access_token']}/more", f"auth/{tokens['refresh_token']}?a=b"):
        httpx.get(f"{server.url}/api/v2/storefront/{path}", verify=NO_TLS)
    log = server.log()
    assert "/api/v2/storefront/auth/{token}" in log
    secrets = (*tokens.values(), *fresh.values(), order_token, PRINTED["access_token"], PRINTED["refresh_token"])
    for secret in secrets:
        if isinstance(secret, str) and len(secret) > 10:
            assert secret not in log
