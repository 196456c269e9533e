"""The Python sample of the platform's guide runs as it is printed there, but for key and URL."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from tests.flows.test_api_keys import Key
from tests.support.world import World

SAMPLE = Path(__file__).with_name("python_sample.txt").read_text(encoding="utf-8")


def test_the_guides_sample_places_an_order(world: World, tmp_path: Path) -> None:
    key = Key.made(world)
    script = tmp_path / "sample.py"
    script.write_text(
        SAMPLE.replace("YOUR_API_KEY", key.text).replace("https://api.oscebaysc.com", world.url), encoding="utf-8"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.stderr == ""
    order = ast.literal_eval(ran.stdout)
    assert set(order) == {"order_id", "status", "created_at"}
    assert order["status"] == "pending"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", order["created_at"])
    placed = world.http.get(f"/orders/{order['order_id']}", headers=key.header).json()
    assert [item["product_id"] for item in placed["items"]] == ["A100", "B200"]
    assert placed["customer_id"] == "12345"
