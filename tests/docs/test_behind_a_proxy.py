"""Behind a TLS proxy, as docs/operations.md describes it: scheme, caller and store come from the proxy alone."""

import re
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from tests.support.plain_http import NO_TLS
from tests.support.server import ServerProcess

PROXY = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
SETTINGS = {
    "AUTHSRV_DEMO": "true",
    "AUTHSRV_ISSUER": "https://auth.shops.example",
    "AUTHSRV_STORE_HOSTS": "{prefix}.shops.example",
    "AUTHSRV_TRUSTED_PROXIES": "127.0.0.1",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("proxied"), SETTINGS) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(server: ServerProcess) -> Iterator[httpx.Client]:
    """What the proxy sends for a caller who came over https to the issuer's host."""
    headers = {**PROXY, "Host": "auth.shops.example"}
    with httpx.Client(verify=NO_TLS, base_url=server.url, headers=headers, timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def bearer(server: ServerProcess, proxy: httpx.Client) -> dict[str, str]:
    """A token of the demo store's service."""
    credentials = re.findall(r"-u '([^:']+):([^']+)'", server.log())[0]
    granted = proxy.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials).json()
    return {"Authorization": f"Bearer {granted['access_token']}"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        # It fits the pattern of the stores' hosts, and yet it is none.
        pytest.param("auth.shops.example", HTTPStatus.OK, id="the issuer's host"),
        pytest.param("demo.shops.example", HTTPStatus.OK, id="the host of the token's store"),
        pytest.param("DEMO.shops.example:443", HTTPStatus.OK, id="the same in capitals, with a port"),
        pytest.param("another.shops.example", HTTPStatus.FORBIDDEN, id="another store's host"),
    ],
)
def test_a_token_is_good_on_the_issuers_host_and_its_stores(
    proxy: httpx.Client, bearer: dict[str, str], host: str, status: HTTPStatus
) -> None:
    assert proxy.get("/orders", headers={**bearer, "Host": host}).status_code == status


def test_https_answers_ask_for_https_ever_after(proxy: httpx.Client) -> None:
    assert "max-age=" in proxy.get("/oauth/jwks").headers["strict-transport-security"]


def test_plain_http_at_the_proxy_is_refused_and_not_redirected(proxy: httpx.Client) -> None:
    refused = proxy.get("/oauth/jwks", headers={"X-Forwarded-Proto": "http"})
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert refused.json()["error"] == "https_required"


def test_probes_need_no_https(server: ServerProcess) -> None:
    with httpx.Client(
        verify=NO_TLS, base_url=server.url, headers={"X-Forwarded-For": "192.0.2.7"}, timeout=10
    ) as probe:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert probe.get(path).status_code == HTTPStatus.OK
        assert probe.get("/oauth/jwks").status_code == HTTPStatus.FORBIDDEN
