"""A wheel built from the tree works by itself: installed in a fresh environment and run from anywhere."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.support.plain_http import NO_TLS
from tests.support.ports import LOOPBACK, accepts_connections, free_port
from tests.support.processes import ChildProcess
from tests.support.server import REPOSITORY

COMMAND_SECONDS = 120


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY))
    (built,) = folder.glob("authsrv-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, whose dependencies are those of the running one."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    _run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    python = str(environment / "bin" / "python")
    install = ("install", "--quiet", "--no-index", "--no-deps", str(wheel))
    _run(sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--python", python, *install)
    # A path in a .pth file reads no further .pth files: this tree's editable install stays out of sight.
    dependencies = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(sorted(dependencies)))
    return environment


@pytest.fixture(scope="module")
def demo(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChildProcess]:
    """`authsrv serve --demo` of the wheel, from an empty directory, on a port of its own."""
    port = free_port()
    server = ChildProcess(
        "demo",
        [str(environment / "bin" / "authsrv"), "serve", "--demo", "--port", str(port)],
        folder=tmp_path_factory.mktemp("elsewhere"),
        env={"PATH": os.defpath},
        ready=lambda: accepts_connections(port),
    )
    with server:
        yield server


def test_the_wheel_carries_what_the_server_reads_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for file in (REPOSITORY / "config").iterdir():
        assert f"authsrv/config/{file.name}" in names
    for migration in (REPOSITORY / "authsrv/storage/migrations/versions").glob("*.py"):
        assert f"authsrv/storage/migrations/versions/{migration.name}" in names
    foreign = [name for name in names if not name.startswith(("authsrv/", "authsrv-"))]
    assert foreign == []
    assert not [name for name in names if name.endswith((".db", ".pyc", ".env"))]


def test_the_installed_package_is_the_one_that_runs(environment: Path, tmp_path: Path) -> None:
    told = "import authsrv, importlib.metadata as m; print(authsrv.__file__, m.version('authsrv'))"
    file, version = _run(str(environment / "bin" / "python"), "-c", told, cwd=tmp_path).split()
    assert Path(file).is_relative_to(environment)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert version == project["version"]


def test_the_installed_demo_gives_a_token_and_takes_an_order(demo: ChildProcess) -> None:
    summary = demo.log()
    (issuer,) = set(re.findall(rf"http://{LOOPBACK}:\d+(?=/oauth/token)", summary))
    client_id, secret = re.findall(r"-u '([^:']+):([^']+)'", summary)[0]
    body = re.findall(r"-d '(\{.*\})' ", summary)[0]
    with httpx.Client(verify=NO_TLS, base_url=issuer, timeout=10) as client:
        granted = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret))
        assert granted.status_code == HTTPStatus.OK
        bearer = {"Authorization": f"Bearer {granted.json()['access_token']}", "Content-Type": "application/json"}
        assert client.post("/orders", content=body, headers=bearer).status_code == HTTPStatus.CREATED


def test_the_installed_commands_find_their_schema_and_scopes(environment: Path, tmp_path: Path) -> None:
    authsrv = str(environment / "bin" / "authsrv")
    assert "brought up to date" in _run(authsrv, "migrate", cwd=tmp_path)
    assert "up to date" in _run(authsrv, "migrate", cwd=tmp_path)
    wanted = ("--developer", "dev@example.com", "--type", "service", "--scope", "orders:read")
    assert '"scope": "orders:read"' in _run(authsrv, "apps", "create", "Sync", *wanted, "--json", cwd=tmp_path)


def _run(*command: str, cwd: Path | None = None) -> str:
    """What the command prints; AssertionError with all it said when it fails."""
    finished = subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": os.defpath},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout
