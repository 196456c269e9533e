"""The measuring: one server on one core, the load on another, the bare server before and after every round of ours."""

import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import psutil

from bench.load import Round, WebRequest, ask, press
from bench.scenarios import Scenario
from bench.stage import SECRET_KEY, build_stage
from tests.support.ports import accepts_connections, free_port
from tests.support.processes import ChildProcess
from tests.support.server import REPOSITORY, ServerProcess

_ROUNDS = 3
_WARM_UP_SECONDS = 1
# No server here is as fast as this, so a run never has to send again what may be sent only once.
_MOST_A_SECOND = 4_000
# The server takes a reading of its own counters every second.
_READING_SECONDS = 1.1
_IDLE_SECONDS = 2.0
_STATEMENTS = re.compile(rb"^authsrv_sql_statements (\S+)$", re.MULTILINE)
_REQUESTS = re.compile(rb"^authsrv_requests_total\{.*\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario on one engine. `ratio` is to the bare server's throughput, `cpu_ratio` to its CPU a request."""

    engine: str
    scenario: str
    requests_per_second: float
    bare_per_second: float
    ratio: float
    cpu_ratio: float
    cpu_milliseconds: float
    bare_cpu_milliseconds: float
    p50_milliseconds: float
    p99_milliseconds: float
    statements: float
    failed: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """One worker: how long it took to be ready, and its memory after all rounds (resident, and of its own alone)."""

    engine: str
    start_seconds: float
    resident_mebibytes: float
    unique_mebibytes: float


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside stays on that core, with all its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Bench:
    """A worker and a bare server, both on `core`; this process, wrk and the database had better be on another."""

    def __init__(self, engine: str, database_url: str, folder: Path, *, core: int, seconds: float) -> None:
        self._engine = engine
        self._folder = folder
        self._seconds = seconds
        port = free_port()
        self._stage = build_stage(database_url, f"http://127.0.0.1:{port}")
        settings = {
            "AUTHSRV_DATABASE_URL": database_url,
            "AUTHSRV_SECRET_KEYS": SECRET_KEY,
            "AUTHSRV_MAIL_URL": "outbox:",
            # The limits guard the server from exactly what is done to it here.
            "AUTHSRV_LIMITS__TOKEN_PER_CLIENT": "off",
            "AUTHSRV_LIMITS__API_PER_CREDENTIAL": "off",
        }
        self._open = ExitStack()
        with on_core(core):
            began = time.monotonic()
            self._ours = self._open.enter_context(ServerProcess(folder, settings, port=port, warm=False))
            self._start_seconds = time.monotonic() - began
            self._bare = self._open.enter_context(BareProcess(folder))
        self._idle_rate = self._find_idle_rate()

    def close(self) -> None:
        self._open.close()

    def run(self, scenario: Scenario) -> Result:
        """Raises RuntimeError when an answer is not what it should be."""
        needed = int(_MOST_A_SECOND * self._seconds * _ROUNDS) if scenario.sent_once else 0
        requests = scenario.prepare(self._stage, needed + _MOST_A_SECOND * _WARM_UP_SECONDS)
        spare, rest = (requests[:_MOST_A_SECOND], requests[_MOST_A_SECOND:]) if needed else (requests, requests)
        status, body = ask(self._ours.url, spare[0])
        if status != 200 or scenario.holds not in body:
            raise RuntimeError(f"{scenario.name} was answered {status} {body!r}")
        self._press(self._ours, spare, _WARM_UP_SECONDS)
        self._press(self._bare, spare, _WARM_UP_SECONDS)
        before = self._read_counters()
        ours: list[Round] = []
        # It answers many times as much, so half the time tells as much of it.
        shorter = max(self._seconds / 2, 1)
        bare = [self._press(self._bare, spare, shorter)]
        for number in range(_ROUNDS):
            mine = rest[number * needed // _ROUNDS : (number + 1) * needed // _ROUNDS] if needed else rest
            ours.append(self._press(self._ours, mine, self._seconds))
            bare.append(self._press(self._bare, spare, shorter))
        return self._sum_up(scenario, ours, bare, self._read_counters().since(before, self._idle_rate))

    def footprint(self) -> Footprint:
        memory = psutil.Process(self._ours.pid).memory_full_info()
        return Footprint(self._engine, self._start_seconds, memory.rss / 2**20, memory.uss / 2**20)

    def _press(self, server: "ServerProcess | BareProcess", requests: Sequence[WebRequest], seconds: float) -> Round:
        return press(server.url, psutil.Process(server.pid), requests, seconds, self._folder)

    def _sum_up(self, scenario: Scenario, ours: Sequence[Round], bare: Sequence[Round], statements: float) -> Result:
        # Each round beside the mean of its two neighbours: what slows the machine for a while slows both.
        beside = [mean((bare[at].requests_per_second, bare[at + 1].requests_per_second)) for at in range(len(ours))]
        cpu = median(each.cpu_milliseconds for each in ours)
        bare_cpu = median(each.cpu_milliseconds for each in bare)
        return Result(
            engine=self._engine,
            scenario=scenario.name,
            requests_per_second=median(each.requests_per_second for each in ours),
            bare_per_second=median(each.requests_per_second for each in bare),
            ratio=median(each.requests_per_second / other for each, other in zip(ours, beside, strict=True)),
            cpu_ratio=bare_cpu / cpu,
            cpu_milliseconds=cpu,
            bare_cpu_milliseconds=bare_cpu,
            p50_milliseconds=median(each.p50_milliseconds for each in ours),
            p99_milliseconds=median(each.p99_milliseconds for each in ours),
            statements=max(statements, 0.0),
            failed=sum(each.refused + each.lost for each in [*ours, *bare]),
        )

    def _find_idle_rate(self) -> float:
        """Statements a second of a server that nobody asks anything: it reads the feed."""
        before = self._read_counters()
        time.sleep(_IDLE_SECONDS)
        after = self._read_counters()
        return (after.statements - before.statements) / (after.read_at - before.read_at)

    def _read_counters(self) -> "_Counters":
        time.sleep(_READING_SECONDS)
        text = ask(self._ours.url, WebRequest("GET", "/metrics"))[1]
        found = _STATEMENTS.search(text)
        if found is None:
            raise RuntimeError("/metrics does not tell authsrv_sql_statements")
        return _Counters(time.monotonic(), float(found[1]), sum(map(float, _REQUESTS.findall(text))))


@dataclass(frozen=True, slots=True)
class _Counters:
    """What the server has counted up to a moment. Its own count of requests has those that wrk did not wait for."""

    read_at: float
    statements: float
    requests: float

    def since(self, before: "_Counters", idle_rate: float) -> float:
        """Statements a request, without those of the background."""
        background = idle_rate * (self.read_at - before.read_at)
        return (self.statements - before.statements - background) / (self.requests - before.requests)


class BareProcess(ChildProcess):
    """The bare server, as a process."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            "bare",
            [sys.executable, "-m", "bench.bare", str(port)],
            folder=folder,
            ready=lambda: accepts_connections(port),
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(REPOSITORY)},
        )
