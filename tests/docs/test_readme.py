"""What the README tells people to type works as it stands, and what it lists is what there is."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from authsrv.settings import ENVIRONMENT_PREFIX, setting_names
from tests.actors import Operator
from tests.support.ports import LOOPBACK, free_port
from tests.support.server import REPOSITORY, ServerProcess

README = (REPOSITORY / "README.md").read_text()
WRITTEN_URL = "http://127.0.0.1:8000"
WRITTEN_DATABASE = "postgresql://authsrv@db.shops.example:5432/authsrv"
# Their own blocks: what starts them is tried by everyone who clones, not by the tests that one of them runs.
NOT_RUN = {"Start"}
LOGIN = "A person logs in to an app"
KEY = "An API key and a webhook"
STORIES = {"First steps", LOGIN, KEY, "The command line", "Deployment"}
# What a person does at the browser, as one command; the code ends up where they would type it.
TYPED = "printf 'Code: '; read -r CODE\n"
AT_THE_BROWSER = 'CODE=$(python -m tests.docs.person SERVER "$URL")\n'
SCRIPT_SECONDS = 60


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for the path, with `authsrv` and `python` as an activated environment has them."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, command in (("authsrv", (sys.executable, "-m", "authsrv")), ("python", (sys.executable,))):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        script.chmod(0o755)
    return folder


def test_every_block_of_commands_is_known() -> None:
    assert set(_blocks()) == STORIES | NOT_RUN


def test_the_first_steps_place_an_order_and_take_the_token_back(tmp_path: Path, programs: Path) -> None:
    with ServerProcess(tmp_path, {"AUTHSRV_DEMO": "true"}) as server:
        printed = _run(_blocks()["First steps"].replace(WRITTEN_URL, server.url), tmp_path, programs)
    placed, listed, inspected, revoked, refused = _read_all(printed)
    assert [order["order_id"] for order in listed] == [placed["order_id"]]
    assert inspected["active"]
    assert revoked == {}
    assert refused["error"]["code"] == "unauthorized"


def test_an_app_logs_a_person_in(tmp_path: Path, programs: Path) -> None:
    block = _blocks()[LOGIN]
    assert TYPED in block
    with ServerProcess(tmp_path, {"AUTHSRV_DEMO": "true"}) as server:
        script = _helpers() + block.replace(TYPED, AT_THE_BROWSER.replace("SERVER", server.url))
        printed = _run(script.replace(WRITTEN_URL, server.url), tmp_path, programs)
    link, _, answers = printed.partition("\n")
    assert "/oauth/authorize?" in link
    known, renewed = _read_all(answers)
    assert known["email_verified"]
    assert renewed["refresh_token"].startswith("rt_")


def test_an_api_key_places_moves_and_cancels_an_order(tmp_path: Path, programs: Path) -> None:
    with ServerProcess(tmp_path, {"AUTHSRV_DEMO": "true"}) as server:
        script = (_helpers() + _blocks()[KEY]).replace(WRITTEN_URL, server.url)
        moved, cancelled, deliveries = _read_all(_run(script, tmp_path, programs))
    assert (moved["status"], cancelled["status"]) == ("processing", "cancelled")
    assert len(deliveries) == 1


def test_a_store_is_made_from_nothing_to_its_first_client(tmp_path: Path, programs: Path) -> None:
    printed = _run(_blocks()["The command line"], tmp_path, programs)
    assert re.search(r"^imported +2$", printed, re.MULTILINE)
    assert re.search(r"^client_secret +cs_", printed, re.MULTILINE)
    assert re.search(
        r"^app_\S+ +Warehouse sync +service +not_approved +harbour +dev@example\.com", printed, re.MULTILINE
    )


def test_the_deployment_is_judged_safe_serves_and_stops_in_order(
    tmp_path: Path, programs: Path, postgres_url: str
) -> None:
    block = _blocks()["Deployment"].replace(WRITTEN_DATABASE, postgres_url)
    preparing, serving, options = block.partition("authsrv serve ")
    port = free_port()
    # Readiness is asked for as a probe asks: over plain http.
    watching = f"""
    for _ in $(seq 200); do curl -sf http://{LOOPBACK}:{port}/readyz && break; sleep 0.1; done
    kill -TERM $!; wait $!; echo "exit code $?"
    """
    printed = _run(f"{preparing}{serving}{options.strip()} --port {port} &\n{watching}", tmp_path, programs)
    assert "The schema was brought up to date." in printed
    assert "Nothing unsafe found." in printed
    assert '{"status":"ok","faults":{}}' in printed
    assert printed.endswith("exit code 0\n")


def test_the_table_names_every_setting_once() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| `(AUTHSRV_\w+)` \|", README, re.MULTILINE)
    assert sorted(environment for _, environment in rows) == sorted(setting_names())
    for name, environment in rows:
        assert environment == ENVIRONMENT_PREFIX + name.replace(".", "__").upper()


def test_the_table_tells_the_defaults() -> None:
    defaults = tomllib.loads((REPOSITORY / "config" / "defaults.toml").read_text())
    rows = re.findall(r"^\| `([a-z_.]+)` \| `AUTHSRV_\w+` \| `?([^|`]+?)`? \|", README, re.MULTILINE)
    told = dict(rows)
    rates = {name: default for name, default in rows if name in {f"limits.{rate}" for rate in defaults["limits"]}}
    assert {f"limits.{name}": str(value) for name, value in defaults["limits"].items()} == rates
    numbers = {name: float(default) for name, default in rows if "." in name and name not in rates}
    assert numbers == {name: _look_up(defaults, name) for name in numbers}
    for name in ("database_url", "store_hosts", "log_level"):
        assert told[name] == defaults[name]


def test_the_table_of_commands_is_the_commands(tmp_path: Path) -> None:
    rows = re.findall(r"^\| `authsrv ([a-z-]+)(?: ([a-z-]+))?`((?:, `[a-z-]+`)*) \|", README, re.MULTILINE)
    told: dict[str, set[str]] = {}
    for name, first, others in rows:
        told.setdefault(name, set()).update(filter(None, [first, *re.findall(r"`([a-z-]+)`", others)]))
    assert set(told) == _commands(tmp_path)
    for name, subcommands in told.items():
        if subcommands:
            assert subcommands == _commands(tmp_path, name)


def test_the_readme_shows_the_example_that_runs() -> None:
    example = (REPOSITORY / "docs" / "examples" / "mounted.py").read_text()
    _, _, code = example.partition('"""\n\n')
    assert f"```python\n{code}```" in README


def test_the_changelog_has_the_version() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}\b", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CHANGELOG.md",
        "docs/architecture.md",
        "docs/dialects.md",
        "docs/operations.md",
        "docs/security.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    path = REPOSITORY / page
    for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target


def _helpers() -> str:
    """What the first section defines and the later ones use."""
    helpers, _, _ = _blocks()["First steps"].partition("APP=")
    return helpers


def _blocks() -> dict[str, str]:
    """The commands of each section, as one script."""
    blocks: dict[str, str] = {}
    for section in re.split(r"^## ", README, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            blocks[heading] = blocks.get(heading, "") + block
    return blocks


def _run(script: str, folder: Path, programs: Path) -> str:
    """What the script prints; AssertionError with all it said when one of its commands fails."""
    finished = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=script,
        cwd=folder,
        env={"PATH": f"{programs}:{os.environ.get('PATH', os.defpath)}", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def _read_all(text: str) -> list[Any]:
    """The JSON values that follow one another in the text."""
    values, decoder = [], json.JSONDecoder()
    while text := text.strip():
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:]
    return values


def _look_up(defaults: Mapping[str, Any], name: str) -> Any:
    section, _, setting = name.partition(".")
    return defaults[section][setting]


def _commands(folder: Path, *group: str) -> set[str]:
    """The names that `--help` lists."""
    shown = Operator(folder, {"TERMINAL_WIDTH": "100"}).run(*group, "--help").stdout
    _, _, listed = shown.partition("Commands")
    return set(re.findall(r"^│ ([a-z-]+) ", listed, re.MULTILINE))
