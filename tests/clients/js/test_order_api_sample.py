"""The JavaScript sample of the platform's guide runs as it is printed there, but for key and URL."""

import os
import re
import subprocess
from pathlib import Path

import httpx

from tests.clients.js.scripts import FOLDER, MODULES, SCRIPT_SECONDS
from tests.clients.shop import Shop
from tests.support.plain_http import NO_TLS
from tests.support.server import run_cli

SAMPLE = (FOLDER / "guide_sample.txt").read_text(encoding="utf-8")


def test_the_guides_sample_places_an_order(shop: Shop, tmp_path: Path) -> None:
    assert MODULES.is_dir(), "npm's packages are not installed: `make test-clients` does it"
    settings = {"AUTHSRV_DEMO": "true", "AUTHSRV_ISSUER": shop.url}
    wanted = ("--developer", "dev@example.com", "--store", "demo", "--scope", "orders:read orders:write", "--json")
    key = run_cli("api-keys", "create", "Guide", *wanted, env=settings, cwd=shop.folder).json()["api_key"]
    script = tmp_path / "sample.cjs"
    script.write_text(
        SAMPLE.replace("YOUR_API_KEY", key).replace("https://api.oscebaysc.com", shop.url), encoding="utf-8"
    )
    # The script lies outside of npm's folder, since it holds a key.
    environment = {"PATH": os.environ["PATH"], "NODE_PATH": str(MODULES)}
    ran = subprocess.run(
        ["node", script], capture_output=True, text=True, timeout=SCRIPT_SECONDS, check=False, env=environment
    )
    assert ran.stderr == ""
    printed = dict(re.findall(r"(\w+): '([^']*)'", ran.stdout))
    assert set(printed) == {"order_id", "status", "created_at"}
    assert printed["status"] == "pending"
    placed = httpx.get(
        f"{shop.url}/orders/{printed['order_id']}", headers={"Authorization": f"Bearer {key}"}, verify=NO_TLS
    ).json()
    assert [(item["product_id"], item["quantity"]) for item in placed["items"]] == [("A100", 2), ("B200", 1)]
    assert placed["customer_id"] == "12345"
