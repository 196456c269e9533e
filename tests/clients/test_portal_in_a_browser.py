"""The portal in Chromium: every page of a developer's way by the keyboard alone; without a script; and its samples.

`make test-clients PYTEST_ARGS=--pictures=FOLDER` keeps a picture of each page in each sight.
"""

import html
import os
import re
import subprocess
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests.clients.customer import Customer
from tests.clients.js.doors import list_unsent
from tests.clients.js.looks import assert_all_is_well
from tests.clients.js.scripts import MODULES, SCRIPT_SECONDS, run_script
from tests.clients.shop import Shop
from tests.people import forms_of
from tests.support.plain_http import NO_TLS


@pytest.mark.story
def test_a_developer_leads_an_app_from_its_making_to_its_end_without_a_mouse(
    shop: Shop, tmp_path: Path, pictures: str
) -> None:
    logo = tmp_path / "logo.png"
    Image.new("RGB", (300, 200), (120, 40, 20)).save(logo)
    told = {
        **_told(shop),
        "guest": f"{uuid4().hex[:12]}@example.com",
        "logo": str(logo),
        "pictures": pictures,
    }
    seen = run_script("portal.mjs", told, _nobody)
    _assert_made_and_tried(seen)
    assert_all_is_well(seen["looks"], pages=21)
    assert list_unsent("portal", seen["posts"]) == []


@pytest.mark.story
def test_a_developer_runs_an_app_without_a_mouse(shop: Shop, pictures: str) -> None:
    told = {**_told(shop), "developer": "dev@example.com", "pictures": pictures}
    seen = run_script("portal-running.mjs", told, _nobody)
    assert_all_is_well(seen["looks"], pages=8)
    assert list_unsent("portal-running", seen["posts"]) == []


@pytest.mark.story
def test_an_app_is_made_and_tried_out_without_a_script(shop: Shop) -> None:
    seen = run_script("portal-plain.mjs", _told(shop), _nobody)
    _assert_made_and_tried(seen)
    assert seen["complaints"] == []


@pytest.mark.parametrize("kind", ["web", "spa", "service"])
def test_the_javascript_sample_works_as_pasted(kind: str, shop: Shop, customer: Customer, tmp_path: Path) -> None:
    assert MODULES.is_dir(), "npm's packages are not installed: `make test-clients` does it"
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "sample.mjs").write_text(_sample(shop, kind), encoding="utf-8")
    with subprocess.Popen(
        ["node", "sample.mjs"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as script:
        assert script.stdout
        arrived = ""
        if kind != "service":
            arrived = customer.go(script.stdout.readline().rpartition(" ")[2].strip())
        printed, fault = script.communicate(f"{arrived}\n", timeout=SCRIPT_SECONDS)
    assert script.returncode == 0, fault
    assert "access_token: " in printed


def _sample(shop: Shop, kind: str) -> str:
    """What the page that follows an app's making offers to copy, in JavaScript."""
    developer = Customer(shop.url, f"{uuid4().hex[:12]}@example.com")
    with developer, httpx.Client(base_url=shop.url, verify=NO_TLS, follow_redirects=True) as browser:
        asked = browser.get("/developers/new")
        fields = {**dict(forms_of(asked)[0].fields), "email": developer.email}
        coded = browser.post(str(asked.url), data=fields)
        mails = browser.get("/dev/outbox.json").json()
        code = next(mail for mail in mails if mail["to"] == developer.email)["subject"][:6]
        page = browser.post(str(coded.url), data={**dict(forms_of(coded)[0].fields), "code": code})
        form = next(form for form in forms_of(page) if form.action.endswith("/new"))
        wanted = {
            **dict(form.fields),
            "name": "Sample",
            "type": kind,
            "redirect_uris": "https://app.example/callback",
            "store": "demo",
            "scope": ["openid", "orders:read"],
        }
        made = browser.post("/developers/new", data=wanted)
    assert made.status_code == 200, made.text
    copied = [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', made.text)]
    return next(text for text in copied if "openid-client" in text)


def _assert_made_and_tried(seen: dict[str, Any]) -> None:
    assert seen["made"]["titles"][0] == "Keep the secret now"
    assert seen["made"]["secret"].startswith("cs_")
    assert seen["tried"].count("Answer 200") == 2


def _told(shop: Shop) -> dict[str, Any]:
    found = filter(None, map(which, ("chromium", "chromium-browser", "google-chrome")))
    return {"issuer": shop.url, "chromium": next(found), "developer": f"{uuid4().hex[:12]}@example.com"}


def _nobody(url: str) -> str:
    raise AssertionError(f"the browser itself goes to {urlsplit(url).netloc}")
