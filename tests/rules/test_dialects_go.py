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
from starlette.routing import Route

from authsrv.routes import DIALECTS
from tests.conftest import OWN_DIALECT, is_of_dialects
from tests.support.world import World

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = {cast("ModuleType", dialect).__name__.rpartition(".")[2]: dialect for dialect in DIALECTS}
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "node_modules", ".*_cache", ".hypothesis", "var")
# With the folders gone all tests are collected, and of them these are run, if it is not to be all of them on SQLite
# (--all-without-dialects, which takes as long as they do): the map, orders, tokens to their end.
RUN_AGAIN = """
    (rules and test_routes) or (order_api and test_golden) or (flows and test_revocation) or test_security_document
"""
LONGEST_SECONDS = 300
ALL_LONGEST_SECONDS = 900


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


@pytest.mark.parametrize("name", sorted(FOLDERS.keys() - {OWN_DIALECT}))
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


def test_on_postgresql_all_others_are_run_without_them(postgresql_world: World) -> None:
    """Tests outside their folders share this server (`tests/conftest.py`), so each of them needs none of them."""
    open_doors = {route.path for route in postgresql_world.app.routes if isinstance(route, Route)}
    for name, dialect in FOLDERS.items():
        assert (open_doors >= {door.path for door in dialect.DOORS}) is (name == OWN_DIALECT), name
    assert not is_of_dialects(Path(__file__))


def test_without_their_folders_the_rest_goes_on(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """All at once, for the time it takes: that none needs another, the tests above say."""
    house = tmp_path / "house"
    shutil.copytree(REPOSITORY, house, ignore=LEFT_OUT)
    # Some laws ask git which files are the project's.
    subprocess.run(["git", "init", "--quiet", str(house)], check=True)
    routes = house / "authsrv/routes.py"
    for name in FOLDERS.keys() - {OWN_DIALECT}:
        shutil.rmtree(house / "authsrv/dialects" / name)
        shutil.rmtree(house / "tests/dialects" / name)
        routes.write_text(_without(routes.read_text(), name))
    chosen, seconds = ["-n", "0", "-k", f"({' '.join(RUN_AGAIN.split())}) and not postgresql"], LONGEST_SECONDS
    if pytestconfig.getoption("all_without_dialects"):
        this = str(Path(__file__).relative_to(REPOSITORY))
        chosen, seconds = ["-k", "not postgresql", "--deselect", this], ALL_LONGEST_SECONDS
    # A run of its own, whoever began it.
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen],
        cwd=house,
        env={**own, "PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert " passed" in finished.stdout


def _without(routes: str, name: str) -> str:
    """The map with neither import nor entry of the dialect."""
    routes = re.sub(rf"(?m)^(from authsrv\.dialects import .*?)(?:, {name}\b|\b{name}, )", r"\1", routes)
    return routes.replace(f"    {name},\n", "", 1)
