"""What the page tells people to type works as it stands, against the demo."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.server import REPOSITORY, ServerProcess

PAGE = REPOSITORY / "docs" / "dialects" / "customer_api.md"
WRITTEN_URL = "http://127.0.0.1:8000"
SCRIPT_SECONDS = 60


def test_a_password_leads_to_an_order(tmp_path: Path) -> None:
    block = re.search(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    with ServerProcess(tmp_path, {"AUTHSRV_DEMO": "true"}) as server:
        script = 'authsrv() { python -m authsrv "$@"; }\n' + block[1].replace(WRITTEN_URL, server.url)
        own = {name: text for name, text in os.environ.items() if not name.startswith("AUTHSRV_")}
        path = f"{Path(sys.executable).parent}:{own['PATH']}"
        finished = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=tmp_path,
            env={**own, "PATH": path, "PYTHONPATH": str(REPOSITORY), "AUTHSRV_DEMO": "true"},
            capture_output=True,
            text=True,
            timeout=SCRIPT_SECONDS,
            check=False,
        )
    assert finished.returncode == 0, finished.stderr
    printed, decoder = finished.stdout[finished.stdout.index("[") :], json.JSONDecoder()
    products, end = decoder.raw_decode(printed)
    order, length = decoder.raw_decode(printed[end:])
    listed, _ = decoder.raw_decode(printed[end + length :])
    assert [product["code"] for product in products] == ["HH-MUG-01"]
    assert (order["note"], order["total"]) == ("Ring twice.", 28.0)
    assert listed == [order]
