"""A child process that a test starts, waits for, and stops by its own process id."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, Self

import psutil

READY_SECONDS = 60.0
STOP_SECONDS = 20.0
LOG_TAIL_LINES = 40


class Running(Protocol):
    """The part of `subprocess.Popen` that is needed here."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...


class ChildProcess:
    """One program in the foreground, its stdout and stderr in `folder/NAME.log`. Leaving the context stops it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start `command` in `folder`; see `start`."""
        self._name = name
        self._command = command
        self._folder = folder
        self._ready = ready
        self._env = env
        self._log_file = folder / f"{name}.log"
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.is_running():
            self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        """Everything the program has printed so far."""
        return self._log_file.read_text(errors="replace")

    def start(self) -> None:
        """Start (again, on the same port) and return when it is ready; RuntimeError with the log's end if never."""
        with self._log_file.open("ab") as log:
            self._process = self._run(log)
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def _run(self, log: BinaryIO) -> Running:
        # A session of its own, so that Ctrl-C reaches only pytest, which then stops its children in order.
        return subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self) -> int:
        """SIGTERM; returns the exit code (negative: the signal that ended it).

        RuntimeError, and everything killed, if it is still there after `STOP_SECONDS`.
        """
        processes = self.process_tree()
        resume_all(processes)
        self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise RuntimeError(self._told(f"did not stop within {STOP_SECONDS:.0f} s of SIGTERM")) from None
        finally:
            self._kill_all(processes)

    def kill(self) -> None:
        """SIGKILL for the process and its descendants, as when the machine loses power."""
        self._kill_all(self.process_tree())

    def pause(self) -> None:
        """Freeze the process and its descendants: connections stay open and nothing answers."""
        pause_all(self.process_tree())

    def resume(self) -> None:
        resume_all(self.process_tree())

    def process_tree(self) -> list[psutil.Process]:
        """The process and its living descendants, oldest first; empty when it has ended."""
        return process_tree(self.pid) if self.is_running() else []

    def _kill_all(self, processes: Sequence[psutil.Process]) -> None:
        for process in processes:
            if process.is_running():
                process.kill()
        self._process.wait()
        psutil.wait_procs(processes, timeout=STOP_SECONDS)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            if not self.is_running():
                raise RuntimeError(self._told(f"ended with exit code {self._process.returncode} before it was ready"))
            if time.monotonic() > deadline:
                raise RuntimeError(self._told(f"was not ready after {READY_SECONDS:.0f} s"))
            time.sleep(0.02)

    def _told(self, what: str) -> str:
        tail = "\n".join(self.log().splitlines()[-LOG_TAIL_LINES:])
        return f"{self._name} {what}; its log ends:\n{tail}"


def process_tree(pid: int) -> list[psutil.Process]:
    """The process and its descendants, parents before children."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def pause_all(processes: Sequence[psutil.Process]) -> None:
    """SIGSTOP, parents first, so that none of them can start another child meanwhile."""
    _signal_all(processes, signal.SIGSTOP)


def resume_all(processes: Sequence[psutil.Process]) -> None:
    """SIGCONT; harmless to a process that runs."""
    _signal_all(processes, signal.SIGCONT)


def _signal_all(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:  # a child may end at any time
            continue
