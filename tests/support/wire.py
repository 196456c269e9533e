"""A wire to a server that can be held: its answers wait and arrive late, as in a network that hangs."""

import socket
import threading
from typing import Self

from tests.support.ports import LOOPBACK

CHUNK = 65_536
LONGEST_HOLD_SECONDS = 60


class Wire:
    """Forwards connections on `port` to another port of this machine. Leaving the context cuts them all."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._flows = threading.Event()
        self._flows.set()
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        # Closing alone would not wake the thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flows.set()
        self.cut()

    def hold(self) -> None:
        """The server's answers do not arrive any more, and are not lost; what it is asked still arrives."""
        self._flows.clear()

    def release(self) -> None:
        """The answers that were held arrive."""
        self._flows.set()

    def cut(self) -> None:
        """End all connections; new ones are accepted."""
        for end in self._ends:
            end.close()
        self._ends.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection((LOOPBACK, self._to_port))
            except OSError:
                return
            self._ends += [near, far]
            always = threading.Event()
            always.set()
            for source, target, flows in ((near, far, always), (far, near, self._flows)):
                threading.Thread(target=self._pump, args=(source, target, flows), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, flows: threading.Event) -> None:
        try:
            while octets := source.recv(CHUNK):
                flows.wait(LONGEST_HOLD_SECONDS)
                target.sendall(octets)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return
