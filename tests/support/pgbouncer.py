"""PgBouncer in transaction pooling mode before a test's PostgreSQL cluster."""

from pathlib import Path

from tests.support.ports import LOOPBACK, accepts_connections, free_port
from tests.support.postgres import PostgresCluster
from tests.support.processes import ChildProcess
from tests.support.programs import find_program, unprivileged_user

SETTINGS = """
[databases]
* = host={host} port={postgres_port} user=postgres

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 500
"""


class PgBouncer(ChildProcess):
    """A pooler with `pool_size` server connections for each database of the cluster."""

    def __init__(self, cluster: PostgresCluster, folder: Path, *, pool_size: int = 5) -> None:
        self.port = free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            SETTINGS.format(host=LOOPBACK, port=self.port, postgres_port=cluster.port, pool_size=pool_size)
        )
        user = unprivileged_user()
        super().__init__(
            "pgbouncer",
            [find_program("pgbouncer"), *([f"--user={user}"] if user else []), str(settings)],
            folder=folder,
            ready=lambda: accepts_connections(self.port),
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@{LOOPBACK}:{self.port}/{database}"
