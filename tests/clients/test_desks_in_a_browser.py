"""The pages of the operator, of a store and of an app, in Chromium: both widths, both colour schemes, and the keyboard.

`make test-clients PYTEST_ARGS=--pictures=FOLDER` keeps a picture of each page in each sight.
"""

from shutil import which
from uuid import uuid4

import pytest

from tests.clients.js.looks import assert_all_is_well
from tests.clients.js.scripts import run_script
from tests.clients.shop import Shop


@pytest.mark.parametrize(("who", "pages"), [("store", 10), ("developer", 8), ("operator", 10)])
def test_every_page_is_light_bars_nobody_and_works_by_the_keyboard(
    shop: Shop, pictures: str, who: str, pages: int
) -> None:
    told = {
        "who": who,
        "issuer": shop.url,
        "chromium": next(filter(None, map(which, ("chromium", "chromium-browser", "google-chrome")))),
        "owner": "owner@example.com",
        "developer": "dev@example.com",
        "operator": "operator@example.com",
        "guest": f"{uuid4().hex[:12]}@example.com",
        "pictures": pictures,
    }
    looks = run_script("desks.mjs", told, _nobody)["looks"]
    assert_all_is_well(looks, pages)


def _nobody(url: str) -> str:
    raise AssertionError(f"the browser itself goes to {url}")
