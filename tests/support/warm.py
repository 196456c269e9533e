"""`authsrv ARGS` as a process, without the second and a half that Python takes to import it each time.

A process that has imported everything waits for commands and forks into each of them. What runs is the program
itself, in a process, environment and folder of its own; that it starts from nothing as well is tried in
`tests/docs/test_readme.py`, where commands are typed into a shell.
"""

import atexit
import gc
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
# prometheus_client decides how to count when it is imported, by the environment of who serves.
_NOT_YET = ("authsrv.app", "authsrv.operations.metrics", "authsrv.__main__", "authsrv.storage.migrations")
# Imported by uvicorn and SQLAlchemy when a name in the settings asks for them.
_BY_NAME = (
    "alembic.command",
    "alembic.script",
    "asyncpg",
    "httptools",
    "redis.asyncio",
    "uvloop",
    "uvicorn.lifespan.on",
)
_MESSAGE_BYTES = 1_000_000


class WarmProcess:
    """The part of `subprocess.Popen` that tests need, for one command."""

    def __init__(
        self, args: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: Any, stdout: Any, stderr: Any
    ) -> None:
        """Starts `authsrv ARGS` in a session of its own, on these open files."""
        message = json.dumps({"args": args, "cwd": str(cwd), "env": dict(env)}).encode()
        self._answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            files = [stdin.fileno(), stdout.fileno(), stderr.fileno(), theirs.fileno()]
            socket.send_fds(_forge(), [message], files)
        self.pid = int(self._answer.recv(100))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code (negative: the signal that ended it), or None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._answer.settimeout(timeout)
            try:
                self.returncode = int(self._answer.recv(100))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("authsrv", timeout or 0) from None
            self._answer.close()
        return self.returncode

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)


@cache
def _forge() -> socket.socket:
    """Where commands are sent; who waits there ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        waiting = subprocess.Popen(
            # Not as a module of a package: usage messages would name it as such.
            [sys.executable, "-P", "-c", f"from {__name__} import wait_for_commands as wait; wait({theirs.fileno()})"],
            cwd=REPOSITORY,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(REPOSITORY)},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )

    def leave() -> None:
        ours.close()
        waiting.wait(10)

    atexit.register(leave)
    return ours


def _import_all() -> None:
    package = import_module("authsrv")
    for name in _BY_NAME:
        import_module(name)
    for module in pkgutil.walk_packages(package.__path__, "authsrv.", onerror=_give_up):
        if not module.name.startswith(_NOT_YET):
            import_module(module.name)
    if threading.active_count() > 1 or "prometheus_client" in sys.modules:
        raise RuntimeError("an import started a thread, or decided for the commands how to count")
    gc.collect()
    gc.freeze()


def _give_up(name: str) -> None:
    raise ImportError(name)


def wait_for_commands(control_file: int) -> None:
    """Forks into each command that is sent to this socket; returns in the command's process when it has ended."""
    _import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=control_file)
    while True:
        message, files, _, _ = socket.recv_fds(control, _MESSAGE_BYTES, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            _become(json.loads(message), files)
            import_module("authsrv.__main__").main()
            return
        for file in files:
            os.close(file)


def _become(command: dict[str, Any], files: list[int]) -> None:
    *streams, answer = files
    child = os.fork()
    if child:
        for stream in streams:
            os.close(stream)
        with socket.socket(fileno=answer) as teller:
            teller.send(str(child).encode())
            _, status = os.waitpid(child, 0)
            teller.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    os.close(answer)
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(command["cwd"])
    os.environ.clear()
    os.environ.update(command["env"])
    sys.argv = ["authsrv", *command["args"]]
