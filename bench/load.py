"""The load: wrk, which spends a few microseconds on a request, so that the server is what is measured."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.support.programs import find_program

# Enough to keep one worker busy, few enough that its queue does not hide what a request takes.
CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A request before it has a host."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def to_bytes(self, host: str) -> bytes:
        headers = [("Host", host), *self.headers]
        if self.method == "POST":
            headers.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + self.body


@dataclass(frozen=True, slots=True)
class Round:
    """What one server did under load for a few seconds; CPU is the server's, of all its threads."""

    requests: int
    refused: int
    lost: int
    requests_per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    cpu_milliseconds: float


def press(url: str, server: psutil.Process, requests: Sequence[WebRequest], seconds: float, folder: Path) -> Round:
    """Sends the requests in turn, over and over, for so long (whole seconds). RuntimeError when wrk fails."""
    file = folder / "requests"
    _write(file, requests, urlsplit(url).netloc)
    before = _cpu_seconds(server)
    finished = subprocess.run(
        [
            find_program("wrk"),
            "--threads=1",
            f"--connections={CONNECTIONS}",
            f"--duration={seconds:.0f}s",
            f"--script={_SCRIPT}",
            url,
            "--",
            str(file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    used = _cpu_seconds(server) - before
    if finished.returncode or not finished.stdout.strip():
        raise RuntimeError(f"wrk: {finished.stdout}{finished.stderr}")
    said = json.loads(finished.stdout.strip().splitlines()[-1])
    return Round(
        requests=said["requests"],
        refused=said["refused"],
        lost=said["lost"],
        requests_per_second=said["requests"] / said["microseconds"] * 1e6,
        p50_milliseconds=said["p50"] / 1000,
        p99_milliseconds=said["p99"] / 1000,
        cpu_milliseconds=used * 1000 / max(said["requests"], 1),
    )


def ask(url: str, request: WebRequest) -> tuple[int, bytes]:
    """Sends one request; its status and body."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(request.method, request.path, request.body or None, dict(request.headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _write(file: Path, requests: Sequence[WebRequest], host: str) -> None:
    with file.open("wb") as out:
        for request in requests:
            octets = request.to_bytes(host)
            out.write(b"%d\n" % len(octets) + octets)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
