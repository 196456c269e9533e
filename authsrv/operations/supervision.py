"""uvicorn's supervisor, made to end in bounded time."""

import gc
import logging
import multiprocessing
import signal
import socket
import time
from importlib import import_module

from uvicorn._subprocess import subprocess_started
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import SIGNALS, Process

log = logging.getLogger(__name__)

# Set before several workers start; the library that counts reads it when it is imported.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# What a worker needs beyond its drain time: to see the signal, and to close the database.
_LEAVE_SECONDS = 5.0


class ForkedWorker(Process):
    """A worker that begins with what the supervisor has imported: it is ready sooner, and they share that memory."""

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        forked = multiprocessing.get_context("fork").Process(target=self._begin, args=(config, sockets))
        self.process = forked  # type: ignore[assignment]  # uvicorn's own are spawned

    def _begin(self, config: Config, sockets: list[socket.socket]) -> None:
        # The supervisor's own handlers would swallow what is meant for this process.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        subprocess_started(config, self.target, sockets, None)


class Supervisor(Multiprocess):
    """Keeps the workers alive, and leaves none behind when asked to stop."""

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        # When each worker that owes an answer was asked.
        self._asked_at: dict[Process, float] = {}

    def init_processes(self) -> None:
        """The app is imported here, once; only who is started by SIGHUP later begins from nothing, with newer code."""
        import_module(str(self.config.app).partition(":")[0])
        # A collection would write to every page, and each worker would get its own copy of them.
        gc.collect()
        gc.freeze()
        self.processes = [self._start_worker() for _ in range(self.processes_num)]

    @property
    def has_failed(self) -> bool:
        """Whether it ended because a worker could not start."""
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)

    def keep_subprocess_alive(self) -> None:
        """Replaces who died or fell silent. Never waits: meanwhile it would hear neither a signal nor a death."""
        for place, worker in enumerate(self.processes):
            if worker.process.is_alive() and not self._is_silent(worker):
                continue
            worker.kill()
            worker.join()
            self._asked_at.pop(worker, None)
            if worker.exitcode == STARTUP_FAILURE:
                log.error("a worker failed to start, and so would the next: stopping")
                self.should_exit.set()
                return
            log.warning("worker %s died", worker.pid)
            _forget_readings(worker)
            self.processes[place] = self._start_worker()

    def restart_all(self) -> None:
        before = list(self.processes)
        super().restart_all()
        for worker in before:
            if worker not in self.processes:
                _forget_readings(worker)

    def _start_worker(self) -> ForkedWorker:
        worker = ForkedWorker(self.config, self.sockets)
        worker.start()
        return worker

    def _is_silent(self, worker: Process) -> bool:
        """Whether it has owed an answer for too long; asks again whoever has answered."""
        now = time.monotonic()
        try:
            if worker in self._asked_at and worker.parent_conn.poll(0):
                worker.parent_conn.recv()
                del self._asked_at[worker]
            if worker not in self._asked_at:
                worker.parent_conn.send(b"ping")
                self._asked_at[worker] = now
        except (OSError, EOFError):
            return True
        return now - self._asked_at[worker] > self.config.timeout_worker_healthcheck

    def terminate_all(self) -> None:
        for process in self.processes:
            # A worker that still waits for its database has no request to finish and would not hear the signal.
            if process.ping(timeout=1) and not process.is_ready(timeout=1):
                process.kill()
            else:
                process.terminate()

    def join_all(self) -> None:
        deadline = time.monotonic() + (self.config.timeout_graceful_shutdown or 0) + _LEAVE_SECONDS
        for process in self.processes:
            process.process.join(max(0.0, deadline - time.monotonic()))
            if process.process.is_alive():
                process.process.kill()
                process.process.join()


def _forget_readings(worker: Process) -> None:
    """What it read of itself last would stand in the metrics for ever; what it counted stays."""
    # Not before the folder is set: the library looks for it when it is imported.
    import_module("prometheus_client.multiprocess").mark_process_dead(worker.pid)
