"""A server by itself whose issuer has a path answers below it, and at the root where well-known URLs belong."""

import re
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from tests.support.plain_http import NO_TLS
from tests.support.ports import LOOPBACK, free_port
from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    port = free_port()
    settings = {"AUTHSRV_ISSUER": f"http://{LOOPBACK}:{port}/auth", "AUTHSRV_DEMO": "true"}
    with ServerProcess(tmp_path_factory.mktemp("path"), settings, port=port) as server:
        yield server


@pytest.fixture(scope="module")
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(verify=NO_TLS, base_url=server.url, timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def bearer(server: ServerProcess, http: httpx.Client) -> dict[str, str]:
    """A token of the demo's service, from the endpoint that the metadata names."""
    metadata = http.get("/.well-known/oauth-authorization-server/auth").json()
    credentials = re.findall(r"-u '([^:']+):([^']+)'", server.log())[0]
    form = {"grant_type": "client_credentials"}
    granted = http.post(metadata["token_endpoint"], data=form, auth=credentials).json()
    return {"Authorization": f"Bearer {granted['access_token']}"}


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server/auth",
        "/.well-known/openid-configuration/auth",
        "/auth/.well-known/oauth-authorization-server",
        "/auth/.well-known/openid-configuration",
    ],
)
def test_metadata_lies_where_each_standard_looks(server: ServerProcess, http: httpx.Client, path: str) -> None:
    metadata = http.get(path).json()
    assert metadata["issuer"] == f"{server.url}/auth"
    assert metadata["token_endpoint"] == f"{server.url}/auth/oauth/token"


@pytest.mark.parametrize("path", ["", "/orders"])
def test_resource_metadata_is_found_from_the_resource_url(server: ServerProcess, http: httpx.Client, path: str) -> None:
    described = http.get(f"/.well-known/oauth-protected-resource/auth{path}").json()
    assert described["resource"] == f"{server.url}/auth{path}"
    assert described["authorization_servers"] == [f"{server.url}/auth"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/auth/healthz", "/auth/readyz", "/auth/metrics"])
def test_probes_answer_with_and_without_the_path(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == HTTPStatus.OK


@pytest.mark.parametrize("path", ["/auth/orders", "/auth/stores/demo/orders"])
def test_orders_lie_below_the_issuer(http: httpx.Client, bearer: dict[str, str], path: str) -> None:
    assert http.get(path, headers=bearer).status_code == HTTPStatus.OK


def test_a_path_that_only_begins_like_the_issuers_is_another(http: httpx.Client, bearer: dict[str, str]) -> None:
    assert http.get("/authorised/orders", headers=bearer).status_code == HTTPStatus.NOT_FOUND
    assert http.get("/.well-known/oauth-protected-resource/authorised").status_code == HTTPStatus.NOT_FOUND


def test_another_store_than_the_tokens_is_refused(http: httpx.Client, bearer: dict[str, str]) -> None:
    refused = http.get("/auth/stores/another/orders", headers=bearer)
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert refused.json()["error"]["code"] == "insufficient_scope"
