"""A PostgreSQL cluster in a temporary folder, made for tests: no password, no fsync, its own port."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psutil

from tests.support.ports import LOOPBACK, free_port
from tests.support.processes import pause_all, process_tree, resume_all
from tests.support.programs import find_postgres_program, unprivileged_user

COMMAND_SECONDS = 60
INITDB_OPTIONS = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync")
SETTINGS = """
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
fsync = off
synchronous_commit = off
full_page_writes = off
"""
# A test run that is killed cannot clean up: this waits for its end and then takes the cluster away.
GUARD = """
( while kill -0 "$1" && [ -d "$2" ]; do sleep 1; done
  [ -f "$2/data/postmaster.pid" ] && kill -QUIT "$(head -n 1 "$2/data/postmaster.pid")"
  rm -rf "$2" ) &
"""


class PostgresCluster:
    """A cluster in `folder`, reached over TCP as user `postgres`. Leaving the context removes it."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._user = unprivileged_user()
        self.port = port

    @classmethod
    def create(cls, folder: Path | None = None, *, owner_pid: int | None = None) -> Self:
        """A new, running cluster, in a folder of its own unless one is given.

        It lives at most as long as the process `owner_pid` (by default this one).
        """
        cluster = cls(folder or Path(tempfile.mkdtemp(prefix="authsrv-postgres-", dir="/tmp")), free_port())
        cluster._guard(owner_pid or os.getpid())
        try:
            cluster._initialise()
            cluster.start()
        except BaseException:
            cluster.remove()
            raise
        return cluster

    @classmethod
    def attach(cls, folder: Path) -> Self | None:
        """The cluster that another process runs in `folder`, or None if none runs there."""
        postmaster = _read_postmaster(folder / "data")
        return cls(folder, postmaster[1]) if postmaster else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.remove()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template0") -> None:
        """A copy of `template` (as it stands: an empty one), to which nobody may be connected."""
        self._run("createdb", *self._connection(), f"--template={template}", name)

    def drop_database(self, name: str) -> None:
        """Drop the database, if there is one, and whoever is still connected to it."""
        self._run("dropdb", *self._connection(), "--force", "--if-exists", name)

    def start(self) -> None:
        """Start on the same port and the same rows as before; returns when connections are accepted."""
        self._run("pg_ctl", "start", "--wait", f"--pgdata={self._data}", f"--log={self._folder / 'log'}")

    def stop(self) -> None:
        """End every session and stop in order (PostgreSQL's "fast")."""
        self._stop("fast")

    def kill(self) -> None:
        """Drop every connection and stop without a checkpoint, as in a crash (PostgreSQL's "immediate")."""
        self._stop("immediate")

    def pause(self) -> None:
        """Freeze the postmaster and all its children: connections stay open and nothing answers."""
        pause_all(process_tree(self._running_pid()))

    def resume(self) -> None:
        resume_all(process_tree(self._running_pid()))

    def remove(self) -> None:
        """Stop the cluster if it runs and delete its folder."""
        if _read_postmaster(self._data):
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def _initialise(self) -> None:
        if self._user:
            shutil.chown(self._folder, self._user)
        self._run("initdb", *INITDB_OPTIONS, f"--pgdata={self._data}")
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(SETTINGS.format(host=LOOPBACK, port=self.port))

    def _guard(self, owner_pid: int) -> None:
        subprocess.run(
            ["/bin/sh", "-c", GUARD, "guard", str(owner_pid), str(self._folder)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=True,
        )

    def _stop(self, mode: str) -> None:
        self.resume()
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}", f"--pgdata={self._data}")

    def _running_pid(self) -> int:
        postmaster = _read_postmaster(self._data)
        if postmaster is None:
            raise RuntimeError(f"no PostgreSQL runs in {self._data}")
        return postmaster[0]

    def _connection(self) -> tuple[str, ...]:
        return f"--host={LOOPBACK}", f"--port={self.port}", "--username=postgres"

    def _run(self, program: str, *arguments: str) -> None:
        finished = subprocess.run(
            [find_postgres_program(program), *arguments],
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
        )
        if finished.returncode:
            raise RuntimeError(f"{program} {' '.join(arguments)}: {finished.stdout}{finished.stderr}")


def _read_postmaster(data: Path) -> tuple[int, int] | None:
    """Process id and port of the cluster that runs on `data`: lines 1 and 4 of PostgreSQL's own lock file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    pid, port = int(lines[0]), int(lines[3])
    return (pid, port) if psutil.pid_exists(pid) else None
