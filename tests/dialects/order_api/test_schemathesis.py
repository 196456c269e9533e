"""The server keeps every word of its own document: schemathesis tries what the document allows, and what it forbids."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.actors import Service
from tests.flows.test_orders import stock
from tests.support.world import World

PROGRAM = Path(sys.executable).with_name("schemathesis")
# A cancelled order can still be read: what this check takes for deleting is the guide's word for cancelling.
NOT_OURS = "use_after_free"
SETTINGS = Path(__file__).with_name("schemathesis.toml")


def test_schemathesis_finds_nothing(sqlite_world: World, tmp_path: Path) -> None:
    service = Service.hired(sqlite_world, api_limit="off")
    for product_id in ("A100", "B200"):
        stock(sqlite_world, service, product_id, left=2**30)
    described = sqlite_world.http.get("/openapi.json").json()
    # What a schema cannot know: which products this store has. Any other name is a 400, as wrong as a wrong type.
    described["components"]["schemas"]["ItemIn"]["properties"]["product_id"]["enum"] = ["A100", "B200"]
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(described))
    finished = subprocess.run(
        [
            *(str(PROGRAM), "--config-file", str(SETTINGS), "run", str(document), "--url", sqlite_world.url),
            *("--header", f"Authorization: {service.bearer['Authorization']}"),
            *("--checks", "all", "--exclude-checks", NOT_OURS, "--max-examples", "8", "--generation-deterministic"),
            *("--suppress-health-check", "all"),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-8000:] + finished.stderr[-2000:]
