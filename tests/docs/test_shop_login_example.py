"""The example of logging a shop's customers in elsewhere runs as it stands in the docs (sentence 5 of their API)."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.people import App, Person, answer_in
from tests.support.plain_http import NO_TLS
from tests.support.ports import LOOPBACK, accepts_connections, free_port
from tests.support.processes import ChildProcess
from tests.support.server import REPOSITORY
from tests.support.world import World

EXAMPLE = REPOSITORY / "docs" / "examples" / "shop_login.py"
PAGE = REPOSITORY / "docs" / "dialects" / "customer_api.md"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def store(world: World) -> str:
    return world.add_store().prefix


@pytest.fixture
def elsewhere(world: World, store: str, port: int, tmp_path: Path) -> Iterator[httpx.Client]:
    """The example, registered for one store and served."""
    url = f"http://{LOOPBACK}:{port}"
    app = App.registered(world, store=store, scope="openid profile email", redirect_uris=[f"{url}/callback"])
    env = {
        "ISSUER": world.url,
        "CLIENT_ID": app.credentials.client_id,
        "CLIENT_SECRET": app.credentials.client_secret,
        "SESSION_KEY": "a-key-of-the-test",
    }
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLE.parent), "--port", str(port), "shop_login:app"]
    server = ChildProcess("shop_login", command, folder=tmp_path, env=env, ready=lambda: accepts_connections(port))
    with server, httpx.Client(verify=NO_TLS, base_url=url, timeout=10) as browser:
        yield browser


def test_a_customer_logs_in_elsewhere_with_what_the_shop_knows(
    world: World, store: str, elsewhere: httpx.Client
) -> None:
    customer = Person.signed_in(world, stores=(store,), name="Casey Customer")
    assert elsewhere.get("/").json() == "nobody"
    sent = elsewhere.get("/log-in")
    assert sent.headers["location"].startswith(f"{world.url}/oauth/authorize?")
    asked = customer.visit(sent.headers["location"])
    assert "A shop" in asked.text
    answer = answer_in(customer.send(asked, decision="allow"))
    arrived = elsewhere.get(f"/callback?{urlencode(answer)}")
    assert arrived.headers["location"] == "/"
    assert elsewhere.get("/").json() == {
        "sub": str(customer.user_id),
        "email": customer.email,
        "name": "Casey Customer",
    }


def test_the_docs_show_the_example_itself() -> None:
    shown = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert shown is not None
    assert shown[1] == EXAMPLE.read_text()


def test_the_example_is_thirty_lines() -> None:
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith(("#", '"""'))]
    assert len(lines) <= 32
