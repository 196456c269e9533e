"""oidc-client-ts in Chromium: an app of static files on another site than the shop, with no secret."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copy, copytree, which
from uuid import uuid4

import pytest

from tests.clients.js.scripts import FOLDER, MODULES, run_script
from tests.clients.shop import SCOPE, Registered, Shop
from tests.support.ports import LOOPBACK

LIBRARY = MODULES / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_parts: object) -> None:
        """What it serves is nothing to a test's reader."""


@pytest.fixture
def app_folder(tmp_path: Path) -> Path:
    """The app's files, with the library's own build for browsers."""
    folder = tmp_path / "app"
    copytree(FOLDER / "spa", folder)
    copy(LIBRARY, folder)
    return folder


@pytest.fixture
def app_url(app_folder: Path) -> Iterator[str]:
    """Where the app is. `localhost` is another site than 127.0.0.1, as an app's is to the shop."""

    def handle(*arguments: object) -> Quiet:
        return Quiet(*arguments, directory=str(app_folder))  # type: ignore[arg-type]  # as socketserver hands them on

    with ThreadingHTTPServer((LOOPBACK, 0), handle) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.mark.story
def test_the_app_completes_every_step(
    shop: Shop, register: Callable[..., Registered], app_folder: Path, app_url: str
) -> None:
    uris = ("--redirect-uri", app_url, "--post-logout-redirect-uri", app_url)
    app = register("Single page", "--type", "spa", *uris, "--scope", SCOPE)
    settings = {"authority": shop.url, "client_id": app.client_id, "scope": SCOPE}
    (app_folder / "settings.json").write_text(json.dumps(settings))
    email = f"{uuid4().hex[:12]}@example.com"
    told = {"issuer": shop.url, "app": app_url, "email": email, "chromium": _find_chromium()}

    seen = run_script("browser.mjs", told, _nobody)
    signed_in, renewed = seen["signedIn"], seen["renewed"]
    assert signed_in["profile"]["email"] == email
    assert renewed["profile"]["sub"] == signed_in["profile"]["sub"]
    assert renewed["refresh_token"] != signed_in["refresh_token"]
    assert seen["known"]["status"] == 200
    assert seen["known"]["email"] == email
    assert seen["complaints"] == []
    assert seen["revoked"] == {"forgotten": True}
    assert seen["void"]["status"] == 401
    assert "invalid" in seen["over"]
    assert seen["left"] == {"state": "bye"}
    assert seen["arrivedAt"] == "/sign-in"


def _nobody(url: str) -> str:
    raise AssertionError(f"the browser itself goes to {url}")


def _find_chromium() -> str:
    """Systems name it differently."""
    found = filter(None, map(which, ("chromium", "chromium-browser", "google-chrome")))
    return next(found)
