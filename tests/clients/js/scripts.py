"""Runs a script of this folder, and is the test's half of their talk (`talk.mjs`)."""

import json
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"
SCRIPT_SECONDS = 300


def run_script(name: str, told: Mapping[str, str], person: Callable[[str], str]) -> Any:
    """What the script reports in the end; `person` goes where it sends them, and says where they arrived.

    AssertionError with what the script printed, if it fails.
    """
    assert MODULES.is_dir(), "npm's packages are not installed: `make test-clients` does it"
    with subprocess.Popen(
        ["node", name], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as script:
        assert script.stdin
        assert script.stdout
        assert script.stderr
        limit = threading.Timer(SCRIPT_SECONDS, script.kill)
        limit.start()
        try:
            reported = _talk(script, told, person)
            # A few lines at most: they wait in the pipe until the script has ended.
            failure = script.stderr.read()
        finally:
            limit.cancel()
            script.kill()
    assert reported is not None, f"{name}: {failure}"
    return reported


def _talk(script: "subprocess.Popen[str]", told: Mapping[str, str], person: Callable[[str], str]) -> Any:
    assert script.stdin
    assert script.stdout
    _say(script, told)
    reported = None
    for line in script.stdout:
        message = json.loads(line)
        if "send" in message:
            _say(script, {"arrived": person(message["send"])})
        else:
            reported = message["report"]
    return reported


def _say(script: "subprocess.Popen[str]", message: Mapping[str, str]) -> None:
    assert script.stdin
    script.stdin.write(json.dumps(message) + "\n")
    script.stdin.flush()
