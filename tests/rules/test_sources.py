"""The house's laws on its own source: floors, doors of time and chance, sizes, names."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "authsrv"
SOURCES = sorted(PACKAGE.rglob("*.py"))
VENDORS = re.compile(r"\b(vend|vendo|spree|storefront|lightspeed)\b", re.IGNORECASE)
SHAPELESS_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc", "data", "info"}
BANNED_CALLS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}
BANNED_MODULES = {"random", "secrets"}
SQL_WORDS = {"select", "insert", "update", "delete", "exists", "union", "text"}


def floor_of(path: Path) -> str:
    """`kit`, `storage` …, or the file itself where it lies at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def trees(*, outside: set[str] | frozenset[str] = frozenset()) -> Iterator[tuple[Path, ast.Module]]:
    for path in SOURCES:
        if floor_of(path) not in outside:
            yield path.relative_to(REPOSITORY), ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each imported module, and the name taken from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def test_every_file_imports_only_from_floors_below_its_own() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    finished = subprocess.run(
        [program, "--no-logo", "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "1 kept, 0 broken" in finished.stdout


def test_time_and_chance_come_in_through_the_kit_alone() -> None:
    found = []
    for path, tree in trees(outside={"kit"}):
        for module, name in imports_of(tree):
            if module.partition(".")[0] in BANNED_MODULES or (module, name) in {("uuid", "uuid4"), ("time", "time")}:
                found.append(f"{path}: imports {module} {name}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
                if (owner, node.attr) in BANNED_CALLS or node.attr == "uuid4":
                    found.append(f"{path}:{node.lineno}: {owner}.{node.attr}")
    assert found == []


def test_sql_is_written_in_storage_alone() -> None:
    found = [
        f"{path}: {module} {name}"
        for path, tree in trees(outside={"storage"})
        for module, name in imports_of(tree)
        if module.partition(".")[0] in {"sqlmodel", "sqlalchemy"} and (name in SQL_WORDS or module == "sqlmodel")
    ]
    assert found == []


def test_authlib_is_the_engines_affair() -> None:
    """Other floors may know its errors at most: that is how the engine refuses."""
    found = [
        f"{path}: {module} {name}"
        for path, tree in trees(outside={"oauth"})
        for module, name in imports_of(tree)
        if module.startswith(("authlib.oauth2", "authlib.oidc")) and not name.endswith("Error")
    ]
    assert found == []


def test_the_engine_never_learns_a_vendors_name() -> None:
    engine = {"oauth", "shop", "identity", "kit"}
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in SOURCES
        if floor_of(path) in engine
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if VENDORS.search(line)
    ]
    assert found == []


def test_files_are_small() -> None:
    lengths = {path.relative_to(REPOSITORY): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > 400} == {}
    assert median(lengths.values()) < 150


def test_every_file_says_in_a_sentence_what_it_is_for() -> None:
    for path, tree in trees():
        said = (ast.get_docstring(tree) or "").partition("\n")[0]
        assert said.endswith((".", "!")), path


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [path for path in SOURCES if path.stem in SHAPELESS_NAMES] == []


@pytest.mark.parametrize("mark", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_for_later(mark: str) -> None:
    assert [path for path in SOURCES if re.search(rf"\b{mark}\b", path.read_text(encoding="utf-8"))] == []


def test_settings_are_handed_down_and_never_read_on_import() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "load_settings"
    ]
    assert found == []
