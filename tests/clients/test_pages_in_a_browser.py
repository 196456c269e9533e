"""The pages in Chromium: every one in both widths and both colour schemes, without a mouse; and without a script.

`make test-clients PYTEST_ARGS=--pictures=FOLDER` keeps a picture of each page in each sight.
"""

from collections.abc import Callable
from dataclasses import dataclass
from shutil import which
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.clients.js.doors import list_forms, list_unsent, story_of
from tests.clients.js.looks import assert_all_is_well
from tests.clients.js.scripts import run_script
from tests.clients.shop import CALLBACK, SCOPE, Registered, Shop
from tests.support.server import run_cli


@dataclass(frozen=True)
class Apps:
    """One that is approved and belongs to the demo's store, and one that nobody has checked and may ask in any."""

    approved: Registered
    unknown: Registered


@pytest.fixture(scope="module")
def apps(register: Callable[..., Registered]) -> Apps:
    options = ("--type", "web", "--redirect-uri", CALLBACK, "--scope", SCOPE)
    approved = register("Parcel Pilot", *options, "--store", "demo", "--approved")
    return Apps(approved, register("Ledger & Sons Bookkeeping", *options))


@pytest.fixture(scope="module")
def second_store(shop: Shop) -> str:
    """The prefix of a store beside the demo's."""
    _run(shop, "stores", "create", "harbour", "--name", "Lighthouse Books")
    return "harbour"


@pytest.mark.story
def test_people_sign_in_and_look_after_their_account_without_a_mouse(
    shop: Shop, apps: Apps, second_store: str, pictures: str
) -> None:
    told = {
        **_told(shop),
        "email": _owner_of(shop, "demo", second_store),
        "forgetful": _new_address(),
        "approved_app": apps.approved.client_id,
        "unknown_app": apps.unknown.client_id,
        "pictures": pictures,
    }
    seen = run_script("pages.mjs", told, _nobody)
    assert_all_is_well(seen["looks"], pages=21)
    assert list_unsent("pages", seen["posts"]) == []


@pytest.mark.story
def test_login_works_without_a_script(shop: Shop, apps: Apps) -> None:
    told = {**_told(shop), "email": _new_address(), "app": apps.approved.client_id}
    seen = run_script("pages-plain.mjs", told, _nobody)
    assert {"code", "state", "iss"} <= set(seen["allowed"])
    assert seen["allowed"]["method"] == "POST"
    # Enter in a box presses the first button.
    assert seen["entered"]["error"] == "access_denied"
    assert seen["complaints"] == []


@pytest.mark.story
def test_login_works_without_a_mouse(shop: Shop, apps: Apps) -> None:
    told = {**_told(shop), "email": _new_address(), "app": apps.approved.client_id}
    seen = run_script("pages-keyboard.mjs", told, _nobody)
    first, later, last = seen["waits"]
    assert first["shut"]
    assert later["shut"]
    assert 25 < later["seconds"] <= first["seconds"] - 2
    assert last == {"shut": False, "seconds": None}
    assert seen["asked"] == "/consent"
    assert seen["ticked"]
    assert seen["unticked"] in SCOPE.split()
    assert {"code", "state", "iss"} <= set(seen["allowed"])
    assert seen["complaints"] == []
    assert list_unsent("pages-keyboard", seen["posts"]) == []


@pytest.mark.parametrize("form", list_forms())
def test_every_form_of_the_pages_belongs_to_a_story_of_the_keyboard(form: str) -> None:
    assert story_of(form)


def _told(shop: Shop) -> dict[str, Any]:
    found = filter(None, map(which, ("chromium", "chromium-browser", "google-chrome")))
    return {"issuer": shop.url, "redirect_uri": CALLBACK, "scope": SCOPE, "chromium": next(found)}


def _run(shop: Shop, *command: str) -> None:
    settings = {"AUTHSRV_DEMO": "true", "AUTHSRV_ISSUER": shop.url}
    run_cli(*command, "--json", env=settings, cwd=shop.folder).json()


def _owner_of(shop: Shop, *stores: str) -> str:
    email = _new_address()
    for prefix in stores:
        _run(shop, "users", "create", email, "--store", prefix, "--role", "owner", "--customer-api")
    return email


def _new_address() -> str:
    return f"{uuid4().hex[:12]}@example.com"


def _nobody(url: str) -> str:
    raise AssertionError(f"the browser itself goes to {urlsplit(url).netloc}")
