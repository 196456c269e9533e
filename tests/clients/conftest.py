"""A demo server as a process, apps registered with it by the command line, and a person for each test.

Only `make test-clients` runs what is here: it needs packages from npm, which nothing else does.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.clients.customer import Customer
from tests.clients.shop import AFTER_LOGOUT, CALLBACK, SCOPE, Registered, Shop
from tests.support.plain_http import NO_TLS
from tests.support.server import ServerProcess, run_cli

FOLDER = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pictures", metavar="FOLDER", default="", help="keep a picture of each page there, in each sight"
    )


@pytest.fixture(scope="session")
def pictures(request: pytest.FixtureRequest) -> str:
    """Where pictures of the pages are wanted; empty where nobody will look at them."""
    folder: str = request.config.getoption("--pictures")
    if not folder:
        return ""
    Path(folder).mkdir(parents=True, exist_ok=True)
    return str(Path(folder).resolve())


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Unless this folder, or something in it, was named."""
    named = (config.invocation_params.dir / argument.partition("::")[0] for argument in config.args)
    return None if any(path.resolve().is_relative_to(FOLDER) for path in named) else True


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker begins with stories: one that began last would be waited for by all others."""
    stories = [item for item in items if item.get_closest_marker("story")]
    others = [item for item in items if not item.get_closest_marker("story")]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # As xdist will cut them: into one piece a worker.
    items[:] = [item for worker in range(workers) for part in (stories, others) for item in part[worker::workers]]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A running server with the demo shop in it, and where its endpoints are. All its people share one address."""
    folder = tmp_path_factory.mktemp("shop")
    open_wide = {"AUTHSRV_LIMITS__SIGN_IN_PER_ADDRESS": "off", "AUTHSRV_REGISTRATION": "open"}
    with ServerProcess(folder, open_wide, "--demo") as server:
        document = httpx.get(f"{server.url}/.well-known/openid-configuration", verify=NO_TLS).raise_for_status().json()
        yield Shop(server.url, folder, document)


@pytest.fixture(scope="session")
def register(shop: Shop) -> Callable[..., Registered]:
    """Registers an app as an operator does."""

    def create(name: str, *options: str) -> Registered:
        settings = {"AUTHSRV_DEMO": "true", "AUTHSRV_ISSUER": shop.url}
        command = ("apps", "create", name, "--developer", "dev@example.com", *options, "--json")
        app: dict[str, Any] = run_cli(*command, env=settings, cwd=shop.folder).json()
        return Registered(app["client_id"], app.get("client_secret", ""))

    return create


@pytest.fixture(scope="session")
def web_app(register: Callable[..., Registered]) -> Registered:
    """An app with a server of its own, which keeps a secret."""
    uris = ("--redirect-uri", CALLBACK, "--post-logout-redirect-uri", AFTER_LOGOUT)
    return register("Web app", "--type", "web", *uris, "--scope", SCOPE)


@pytest.fixture
def customer(shop: Shop) -> Iterator[Customer]:
    """Somebody the shop has never seen, with a browser of their own."""
    with Customer(shop.url, f"{uuid4().hex[:12]}@example.com") as somebody:
        yield somebody


@pytest.fixture
def jwks_file(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Writes a public key as the JWK Set that an operator registers."""

    def write(key: dict[str, Any]) -> Path:
        file = tmp_path / "jwks.json"
        file.write_text(json.dumps({"keys": [key]}))
        return file

    return write
