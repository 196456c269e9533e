"""A Redis server for tests that share rate limits between processes; it keeps nothing on disk."""

from pathlib import Path

from tests.support.ports import LOOPBACK, accepts_connections, free_port
from tests.support.processes import ChildProcess
from tests.support.programs import find_program


class RedisServer(ChildProcess):
    """Empty at every start."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = [find_program("redis-server"), "--bind", LOOPBACK, "--port", str(self.port)]
        super().__init__(
            "redis",
            [*command, "--save", "", "--appendonly", "no", "--dir", str(folder)],
            folder=folder,
            ready=lambda: accepts_connections(self.port),
        )

    def url(self, database: int = 0) -> str:
        return f"redis://{LOOPBACK}:{self.port}/{database}"
