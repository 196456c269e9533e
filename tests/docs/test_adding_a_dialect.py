"""The fifth dialect of docs/dialects/adding.md, added as the page says: a kiosk gets a token and asks for stock."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.plain_http import NO_TLS
from tests.support.ports import LOOPBACK, accepts_connections, free_port
from tests.support.processes import ChildProcess
from tests.support.server import REPOSITORY

EXAMPLE = REPOSITORY / "docs" / "examples" / "kiosk"
PAGE = REPOSITORY / "docs" / "dialects" / "adding.md"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChildProcess]:
    """The demo, from a copy of the house that has the folder and the entry more."""
    house = tmp_path_factory.mktemp("house")
    for folder in ("authsrv", "config"):
        shutil.copytree(REPOSITORY / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(EXAMPLE, house / "authsrv" / "dialects" / "kiosk", ignore=shutil.ignore_patterns("__pycache__"))
    add_entry(house / "authsrv" / "routes.py")
    port = free_port()
    env = {"PYTHONPATH": str(house), "PYTHONSAFEPATH": "1", "AUTHSRV_ISSUER": f"http://{LOOPBACK}:{port}"}
    command = [sys.executable, "-m", "authsrv", "serve", "--demo", "--host", LOOPBACK, "--port", str(port)]
    running = ChildProcess("kiosk", command, folder=house, env=env, ready=lambda: accepts_connections(port))
    with running:
        yield running


def add_entry(routes: Path) -> None:
    """The two lines of the page: the import, and the name among the dialects."""
    text = routes.read_text()
    text, imports = re.subn(r"(from authsrv\.dialects import .*)", r"\1, kiosk", text)
    text, entries = re.subn(r"(DIALECTS: tuple\[Dialect, \.\.\.\] = \((?:\n    \w+,)*)", r"\1\n    kiosk,", text)
    assert (imports, entries) == (1, 1)
    routes.write_text(text)


@pytest.fixture
def shop(server: ChildProcess) -> Iterator[httpx.Client]:
    url = re.findall(r"http://127\.0\.0\.1:\d+", server.log())[0]
    with httpx.Client(verify=NO_TLS, base_url=url, timeout=10) as client:
        yield client


@pytest.fixture
def credentials(server: ChildProcess) -> dict[str, str]:
    """The demo's service, by the kiosk's names."""
    key, secret = re.findall(r"-u '([^:']+):([^']+)'", server.log())[0]
    return {"key": key, "pass": secret}


def test_a_kiosk_gets_a_token_and_asks_what_is_in_stock(shop: httpx.Client, credentials: dict[str, str]) -> None:
    granted = shop.post("/api/kiosk/token", data=credentials)
    assert granted.status_code == 200, granted.text
    token = re.fullmatch(r"token=(\S+)\nseconds=3600\n", granted.text)
    assert token is not None
    bearer = {"Authorization": f"Bearer {token[1]}"}
    for where in ("", "/stores/demo"):
        answer = shop.get(f"{where}/api/kiosk/stock/A100", headers=bearer)
        assert re.fullmatch(r"A100 \d+\n", answer.text), answer.text


def test_every_refusal_comes_in_its_voice(shop: httpx.Client, credentials: dict[str, str]) -> None:
    refusals = {
        401: shop.post("/api/kiosk/token", data={**credentials, "pass": "wrong"}),
        415: shop.post("/api/kiosk/token", json=credentials),
        405: shop.get("/api/kiosk/token"),
        404: shop.get("/api/kiosk/nothing"),
    }
    for status, answer in refusals.items():
        assert answer.status_code == status
        assert re.fullmatch(r"ERR [a-z_]+ .+\n", answer.text), answer.text
    assert shop.get("/api/kiosk/stock/A100").status_code == 401


def test_what_the_page_shows_stands_in_the_example() -> None:
    source = "\n".join(path.read_text() for path in sorted(EXAMPLE.glob("*.py")))
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks[0].strip() in source
    assert "await count_token_request(request, form)" in source
