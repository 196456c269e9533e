"""A dialect goes with its folder, its tests and one entry of the map; the rest of the house does not notice."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from authsrv.routes import DIALECTS

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = {cast("ModuleType", dialect).__name__.rpartition(".")[2]: dialect for dialect in DIALECTS}
# The house's own API, with which most of its tests place their orders: only what it is made of is looked at.
OWN = "order_api"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", ".*_cache", "var")
# Of all that goes on without them: the map, tokens from their begin to their end, and orders.
STILL_THERE = (
    "tests/rules/test_routes.py",
    "tests/dialects/order_api/test_golden.py",
    "tests/flows/test_revocation.py",
    "tests/rotation/test_security_document.py",
)
LONGEST_SECONDS = 300


def sources(*roots: str) -> list[Path]:
    return [
        path for root in roots for path in sorted((REPOSITORY / root).rglob("*.py")) if "node_modules" not in path.parts
    ]


def outside(name: str) -> dict[Path, str]:
    """Every source but the dialect's own, its tests' and the map."""
    own = {Path("authsrv/dialects") / name, Path("tests/dialects") / name}
    texts = {
        path.relative_to(REPOSITORY): path.read_text(encoding="utf-8") for path in sources("authsrv", "tests", "bench")
    }
    return {
        path: text
        for path, text in texts.items()
        # What compares the dialects with each other asks the map which there are.
        if own.isdisjoint(path.parents)
        and path.parent != Path("tests/dialects")
        and path not in {Path("authsrv/routes.py"), Path(__file__).relative_to(REPOSITORY)}
    }


@pytest.mark.parametrize("name", FOLDERS)
def test_nothing_else_knows_a_dialect(name: str) -> None:
    imports = re.compile(rf"\b(?:authsrv|tests)\.dialects(?:\.{name}\b| import .*\b{name}\b)")
    assert [str(path) for path, text in outside(name).items() if imports.search(text)] == []


@pytest.mark.parametrize("name", sorted(FOLDERS.keys() - {OWN}))
def test_nothing_else_calls_at_its_doors(name: str) -> None:
    prefixes = {door.path.partition("{")[0].rstrip("/") for door in FOLDERS[name].DOORS}
    found = [
        f"{path}: {prefix}"
        for path, text in outside(name).items()
        for prefix in prefixes
        if re.search(rf"\"[^\"\s]*{re.escape(prefix)}\b", text)
    ]
    assert found == []


@pytest.mark.parametrize("name", FOLDERS)
def test_the_map_names_it_in_one_entry(name: str) -> None:
    text = (REPOSITORY / "authsrv/routes.py").read_text()
    assert len(re.findall(rf"\b{name}\b", text)) == 2, "its import, and its entry in DIALECTS"


def test_without_them_the_rest_goes_on(tmp_path: Path) -> None:
    """All at once, for the time it takes: that none needs another, the tests above say."""
    for part in ("authsrv", "config", "tests", "docs"):
        shutil.copytree(REPOSITORY / part, tmp_path / part, ignore=LEFT_OUT)
    for part in ("pyproject.toml", "README.md", "CHANGELOG.md"):
        shutil.copy(REPOSITORY / part, tmp_path / part)
    routes = tmp_path / "authsrv/routes.py"
    for name in FOLDERS.keys() - {OWN}:
        shutil.rmtree(tmp_path / "authsrv/dialects" / name)
        shutil.rmtree(tmp_path / "tests/dialects" / name)
        routes.write_text(_without(routes.read_text(), name))
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            "-k",
            "not postgresql",
            *STILL_THERE,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert " passed" in finished.stdout


def _without(routes: str, name: str) -> str:
    """The map with neither import nor entry of the dialect."""
    routes = re.sub(rf"(?m)^(from authsrv\.dialects import .*?)(?:, {name}\b|\b{name}, )", r"\1", routes)
    return routes.replace(f"    {name},\n", "", 1)
