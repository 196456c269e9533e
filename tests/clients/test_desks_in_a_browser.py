"""The pages of the operator, of a store and of an app, in Chromium: both widths, both colour schemes, and the keyboard.

The pictures of each page lie in pytest's cache: `.pytest_cache/d/desks`.
"""

from shutil import which
from uuid import uuid4

import pytest

from tests.clients.js.scripts import run_script
from tests.clients.shop import Shop

HEAVIEST = 100 * 1024


@pytest.mark.parametrize(("who", "pages"), [("store", 10), ("developer", 8), ("operator", 10)])
def test_every_page_is_light_bars_nobody_and_works_by_the_keyboard(
    shop: Shop, request: pytest.FixtureRequest, who: str, pages: int
) -> None:
    """axe-core and the console have nothing to say, and nothing must be moved sideways to be read."""
    told = {
        "who": who,
        "issuer": shop.url,
        "chromium": next(filter(None, map(which, ("chromium", "chromium-browser", "google-chrome")))),
        "owner": "owner@example.com",
        "developer": "dev@example.com",
        "operator": "operator@example.com",
        "guest": f"{uuid4().hex[:12]}@example.com",
        "pictures": str(request.config.cache.mkdir("desks")),
    }
    looks = run_script("desks.mjs", told, _nobody)["looks"]
    assert len({look["name"] for look in looks}) == pages
    assert len(looks) == pages * 2
    assert [look for look in looks if look["violations"] or look["complaints"] or look["sideways"] > 0] == []
    assert [look for look in looks if not 0 < look["bytes"] < HEAVIEST] == []


def _nobody(url: str) -> str:
    raise AssertionError(f"the browser itself goes to {url}")
