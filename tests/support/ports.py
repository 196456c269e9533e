"""A TCP port for a server that a test is about to start."""

import socket

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A loopback port that the system hands to nobody else for about a minute.

    One finished connection leaves the port in TIME_WAIT: the kernel then skips it when it picks ports for others,
    while a server that sets SO_REUSEADDR, as all of ours do, can still bind it. Without that, two xdist workers race.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, 0))
        listener.listen(1)
        port = int(listener.getsockname()[1])
        with socket.create_connection((LOOPBACK, port)):
            accepted, _ = listener.accept()
            # The side that closes first is the one that keeps TIME_WAIT; it has to be the one that owns the port.
            accepted.close()
    return port


def accepts_connections(port: int) -> bool:
    """Whether a server listens on that loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
