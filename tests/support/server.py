"""authsrv itself as an operator runs it: `authsrv serve` as a process, and the other commands run to their end."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import psutil

from tests.support.ports import LOOPBACK, free_port
from tests.support.processes import ChildProcess, Running
from tests.support.warm import WarmProcess

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND_SECONDS = 60
_PROGRAM = (sys.executable, "-P", "-m", "authsrv")


class ServerProcess(ChildProcess):
    """`authsrv serve ARGS` with nothing but `settings` (`AUTHSRV_…`) in its environment, ready to answer.

    The issuer is the server's own URL unless `settings` names another. `warm`: forked, as `tests/support/warm.py` says,
    which spares the time of a start and costs memory that an operator's server has not.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, str], *args: str, port: int | None = None, warm: bool = True
    ) -> None:
        self._is_warm = warm
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.settings = {"AUTHSRV_ISSUER": self.url, **settings}
        super().__init__(
            f"authsrv-{self.port}",
            [*([] if warm else _PROGRAM), "serve", "--host", LOOPBACK, "--port", str(self.port), *args],
            folder=folder,
            ready=self._answers_ready,
            env=_environment(folder, self.settings),
        )

    def _run(self, log: BinaryIO) -> Running:
        if not self._is_warm:
            return super()._run(log)
        with Path(os.devnull).open("rb") as nothing:
            return WarmProcess(
                self._command, cwd=self._folder, env=self._env or {}, stdin=nothing, stdout=log, stderr=log
            )

    def workers(self) -> list[int]:
        """Process ids of the workers; none when one process does all the work."""
        return [child.pid for child in self.process_tree()[1:] if not _is_bookkeeper(child)]

    def _answers_ready(self) -> bool:
        connection = HTTPConnection(LOOPBACK, self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True)
class CommandResult:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """What `--json` printed; AssertionError with stderr if the command was refused."""
        assert self.exit_code == 0, f"exit code {self.exit_code}: {self.stderr}"
        return json.loads(self.stdout)


def run_cli(*args: str, env: Mapping[str, str], cwd: Path, text: str | None = None) -> CommandResult:
    """Run `authsrv ARGS` in `cwd` with nothing but `env` (`AUTHSRV_…`) in its environment and `text` on stdin."""
    with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        stdin.write((text or "").encode())
        stdin.seek(0)
        running = WarmProcess(args, cwd=cwd, env=_environment(cwd, env), stdin=stdin, stdout=stdout, stderr=stderr)
        exit_code = running.wait(COMMAND_SECONDS)
        printed = []
        for file in (stdout, stderr):
            file.seek(0)
            printed.append(file.read().decode())
        return CommandResult(exit_code, *printed)


def _environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """PYTHONPATH makes it this tree's authsrv, whatever is installed."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "PYTHONPATH": str(REPOSITORY), **settings}


def _is_bookkeeper(child: psutil.Process) -> bool:
    """Whether this is the process that `multiprocessing` keeps to itself."""
    try:
        return "multiprocessing.resource_tracker" in " ".join(child.cmdline())
    except psutil.NoSuchProcess:
        return True
