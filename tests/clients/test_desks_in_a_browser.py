"""The pages of the operator and of a store, in Chromium by the keyboard alone: both widths, both colour schemes.

`make test-clients PYTEST_ARGS=--pictures=FOLDER` keeps a picture of each page in each sight.
"""

from collections.abc import Callable
from shutil import which
from typing import Any
from uuid import uuid4

import pytest

from tests.clients.js.doors import list_unsent
from tests.clients.js.looks import assert_all_is_well
from tests.clients.js.scripts import run_script
from tests.clients.shop import CALLBACK, Registered, Shop
from tests.support.server import run_cli


@pytest.mark.story
def test_an_owner_looks_after_the_store_without_a_mouse(shop: Shop, pictures: str) -> None:
    told = {**_told(shop, pictures), "who": "store", "key": "Till", "webhook": "https://till.example/orders"}
    developer = ("--store", "demo", "--developer", "dev@example.com")
    _run(shop, "api-keys", "create", told["key"], *developer, "--scope", "orders:read")
    _run(shop, "webhooks", "create", told["webhook"], *developer)
    seen = run_script("desks.mjs", told, _nobody)
    assert_all_is_well(seen["looks"], pages=10)
    assert list_unsent("store", seen["posts"]) == []


@pytest.mark.story
def test_an_operator_decides_without_a_mouse(shop: Shop, register: Callable[..., Registered], pictures: str) -> None:
    told = {**_told(shop, pictures), "who": "operator", "good": "Ledger & Sons", "bad": "Free Gifts"}
    _run(shop, "users", "create", told["guest"])
    for name in (told["good"], told["bad"]):
        app = register(name, "--type", "web", "--redirect-uri", CALLBACK, "--scope", "openid")
        _run(shop, "apps", "ask-approval", app.client_id, "--text", "It keeps the books of small shops.")
    seen = run_script("desks.mjs", told, _nobody)
    assert_all_is_well(seen["looks"], pages=10)
    assert list_unsent("operator", seen["posts"]) == []


def _told(shop: Shop, pictures: str) -> dict[str, Any]:
    return {
        "issuer": shop.url,
        "chromium": next(filter(None, map(which, ("chromium", "chromium-browser", "google-chrome")))),
        "owner": "owner@example.com",
        "operator": "operator@example.com",
        "guest": f"{uuid4().hex[:12]}@example.com",
        "pictures": pictures,
    }


def _run(shop: Shop, *command: str) -> None:
    settings = {"AUTHSRV_DEMO": "true", "AUTHSRV_ISSUER": shop.url}
    run_cli(*command, "--json", env=settings, cwd=shop.folder).json()


def _nobody(url: str) -> str:
    raise AssertionError(f"the browser itself goes to {url}")
