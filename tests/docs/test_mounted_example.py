"""The example of mounting runs as it stands: the server answers below the host's path, and its URLs say so."""

import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.support.plain_http import NO_TLS
from tests.support.ports import LOOPBACK, accepts_connections, free_port
from tests.support.processes import ChildProcess
from tests.support.server import REPOSITORY, run_cli

EXAMPLES = REPOSITORY / "docs" / "examples"
PRODUCTS = "product_id,code,brand,name,price,stock\nA100,M-1,Harbour,Mug,14.00,10\n"
ORDER = {
    "customer_id": "12345",
    "items": [{"product_id": "A100", "quantity": 2}],
    "shipping_address": {"street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "91234", "country": "USA"},
    "payment_method": "credit_card",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the host runs: its database lies in `var/` below."""
    return tmp_path_factory.mktemp("mounted")


@pytest.fixture(scope="module")
def service(folder: Path) -> httpx.BasicAuth:
    """A service's credentials, made on the command line before the host starts."""
    (folder / "products.csv").write_text(PRODUCTS)
    run_cli("stores", "create", "demo", "--name", "Demo", "--json", env={}, cwd=folder).json()
    run_cli("products", "import", "products.csv", "--store", "demo", "--json", env={}, cwd=folder).json()
    scope = ("--scope", "orders:read orders:write")
    wanted = ("apps", "create", "Sync", "--developer", "dev@example.com", "--type", "service", "--store", "demo")
    made = run_cli(*wanted, *scope, "--json", env={}, cwd=folder).json()
    return httpx.BasicAuth(made["client_id"], made["client_secret"])


@pytest.fixture(scope="module")
def host(folder: Path, service: httpx.BasicAuth) -> Iterator[httpx.Client]:
    """The example, served; paths are the host's."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", str(port), "mounted:app"]
    env = {"PYTHONPATH": str(REPOSITORY), "AUTHSRV_ISSUER": f"{url}/auth"}
    server = ChildProcess("mounted", command, folder=folder, env=env, ready=lambda: accepts_connections(port))
    with server, httpx.Client(verify=NO_TLS, base_url=url, timeout=10) as client:
        yield client


def test_the_example_is_short() -> None:
    code = (EXAMPLES / "mounted.py").read_text().splitlines()
    assert len(code) <= 20
    assert len([line for line in code if line.strip() and not line.startswith(("#", '"""'))]) <= 15


def test_the_host_keeps_its_own_pages(host: httpx.Client) -> None:
    assert host.get("/").text == "The shop"
    assert host.get("/orders").status_code == HTTPStatus.NOT_FOUND


def test_a_service_orders_through_the_mount(host: httpx.Client, service: httpx.BasicAuth) -> None:
    metadata = host.get("/.well-known/oauth-authorization-server/auth").json()
    granted = host.post(metadata["token_endpoint"], data={"grant_type": "client_credentials"}, auth=service).json()
    bearer = {"Authorization": f"Bearer {granted['access_token']}"}
    placed = host.post("/auth/orders", json=ORDER, headers=bearer)
    assert placed.status_code == HTTPStatus.CREATED
    host.post("/auth/orders", json=ORDER, headers=bearer)

    page = host.get("/auth/orders", params={"limit": 1}, headers=bearer)
    assert page.headers["x-total-count"] == "2"
    assert page.links["next"]["url"].startswith(f"{metadata['issuer']}/orders?")
    rest = host.get(page.links["next"]["url"], headers=bearer).json()
    assert [order["order_id"] for order in rest] == [placed.json()["order_id"]]


def test_a_store_is_named_by_a_path_below_the_mount(host: httpx.Client, service: httpx.BasicAuth) -> None:
    granted = host.post("/auth/oauth/token", data={"grant_type": "client_credentials"}, auth=service).json()
    bearer = {"Authorization": f"Bearer {granted['access_token']}"}
    assert host.get("/auth/stores/demo/orders", headers=bearer).status_code == HTTPStatus.OK
    refused = host.get("/auth/stores/another/orders", headers=bearer)
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert refused.json()["error"]["code"] == "insufficient_scope"


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-authorization-server/auth",
        "/.well-known/openid-configuration/auth",
        "/auth/.well-known/oauth-authorization-server",
        "/auth/.well-known/openid-configuration",
    ],
)
def test_metadata_names_urls_below_the_mount(host: httpx.Client, path: str) -> None:
    metadata = host.get(path).json()
    issuer = f"{host.base_url}".rstrip("/") + "/auth"
    assert metadata["issuer"] == issuer
    endpoints = {name: url for name, url in metadata.items() if name.endswith(("_endpoint", "_uri"))}
    assert endpoints
    assert all(url.startswith(f"{issuer}/oauth/") for url in endpoints.values())
    assert host.get(metadata["jwks_uri"]).json()["keys"]


@pytest.mark.parametrize(
    "path", ["/.well-known/oauth-protected-resource/auth/orders", "/auth/.well-known/oauth-protected-resource/orders"]
)
def test_the_resource_is_described_where_rfc_9728_looks(host: httpx.Client, path: str) -> None:
    described = host.get(path).json()
    assert described["resource"] == f"{host.base_url}".rstrip("/") + "/auth/orders"
    challenge = host.get("/auth/orders").headers["www-authenticate"]
    assert f'resource_metadata="{described["authorization_servers"][0]}/.well-known/' in challenge


def test_scripts_of_other_origins_may_read_the_metadata(host: httpx.Client) -> None:
    origin = {"Origin": "https://app.example"}
    answer = host.get("/.well-known/oauth-authorization-server/auth", headers=origin)
    assert answer.headers["access-control-allow-origin"] == "*"
