"""uvicorn's HTTP/1.1, made to refuse in bounded time and memory, and to answer with one write."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# What a head (request line and headers) may take; the parser itself knows no bound.
_HEAD_BYTES = 65_536
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_REQUEST_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """Refuses a head without end (RFC 6585, 5) before it fills the memory, and a request that does not come to its end.

    Between two requests uvicorn's own limit on idle connections counts.
    """

    request_seconds = 30.0
    _head_bytes = 0
    _in_head = True
    _is_whole = False
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        super().connection_made(transport)
        self._patience = self.loop.call_later(self.request_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > _HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()
        # A request that came in one piece, as nearly all do, needs no timer.
        if self._is_whole:
            self._stop_waiting()
        elif self._patience is None:
            self._patience = self.loop.call_later(self.request_seconds, self._give_up)

    def on_message_begin(self) -> None:
        self._in_head = True
        self._is_whole = False
        self._head_bytes = 0
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._is_whole = True
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
        # What follows the body is none of the headers (RFC 9110, 6.5.1), which the request has by now.
        self.headers = []
        # To HEAD there is no body, and who expects a 100 must have it before they send theirs.
        if self.scope["method"] != "HEAD" and not self.expect_100_continue:
            # Its task has not begun yet; it asks for no more of a transport than this.
            self.cycle.transport = _Joined(self.transport)  # type: ignore[assignment]

    def _unsupported_upgrade_warning(self) -> None:
        """Who asks for another protocol is answered in this one (RFC 9110, 7.8), and is worth no line in the log."""

    def _give_up(self) -> None:
        """RFC 9110, 15.5.9. Who has sent nothing at all, or awaits an answer already, is not spoken to."""
        self._patience = None
        if self.transport.is_closing():
            return
        if self._in_head and self.headers is not None:
            self.transport.write(_REQUEST_TOO_SLOW)
        self.transport.close()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class _Joined:
    """What one answer is written to: its head waits for the first of its body, so that both leave with one write.

    uvicorn writes them one by one, and each call into the kernel costs more than what the gate does for a request.
    """

    __slots__ = ("_head", "_is_open", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._is_open = False

    def write(self, data: bytes) -> None:
        if self._is_open:
            self._transport.write(data)
        elif self._head:
            self._is_open = True
            self._transport.write(self._head + data)
        else:
            self._head = data

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        if not self._is_open and not self._transport.is_closing():
            self._transport.write(self._head)
        self._transport.close()
