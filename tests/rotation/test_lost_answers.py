"""An answer lost at any step of a refresh: the app asks again and goes on."""

import socket
import threading
from enum import StrEnum
from typing import Self

import httpx
import pytest

from tests.people import App, Person
from tests.support.plain_http import NO_TLS
from tests.support.ports import LOOPBACK
from tests.support.world import World

CHUNK = 65_536


class Cut(StrEnum):
    """When the network fails, as the app sees it."""

    UNSENT = "before the request was forwarded"
    UNANSWERED = "after the request was forwarded"
    HALFWAY = "in the middle of the answer"
    UNREAD = "after the last byte, before the app wrote it down"


class Scissors:
    """A wire to a server that fails once, at the chosen moment, and is whole again for the next connection."""

    def __init__(self, to_url: str, cut: Cut) -> None:
        self._to = (LOOPBACK, int(to_url.rpartition(":")[2]))
        self._cut: Cut | None = cut
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        # What came back from the server on the connection that was cut.
        self.swallowed = b""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake the thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with near:
                self._forward(near)

    def _forward(self, near: socket.socket) -> None:
        cut, self._cut = self._cut, None
        request = _read_message(near)
        if cut is Cut.UNSENT:
            return
        with socket.create_connection(self._to) as far:
            far.sendall(request)
            answer = _read_message(far)
        if cut is None:
            near.sendall(answer)
            return
        self.swallowed = answer
        if cut is Cut.HALFWAY:
            near.sendall(answer[: -len(answer) // 4])
        elif cut is Cut.UNREAD:
            near.sendall(answer)


def _read_message(connection: socket.socket) -> bytes:
    """Head and body of one message that names its length."""
    octets = b""
    while b"\r\n\r\n" not in octets:
        octets += connection.recv(CHUNK) or b"\r\n\r\n"
    head, _, body = octets.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += connection.recv(CHUNK)
    return head + b"\r\n\r\n" + body


@pytest.mark.parametrize("cut", Cut, ids=[cut.name.lower() for cut in Cut])
@pytest.mark.parametrize("kind", ["web", "spa"])
def test_the_app_goes_on_after_a_lost_answer(world: World, kind: str, cut: Cut) -> None:
    app = App.registered(world, kind=kind)
    tokens = app.log_in(Person.signed_in(world), prompt="consent")
    # Each request on a connection of its own: one that the wire has closed must not be taken again.
    alone = httpx.Limits(max_keepalive_connections=0)
    with (
        Scissors(world.url, cut) as wire,
        httpx.Client(verify=NO_TLS, base_url=wire.url, timeout=20, limits=alone) as http,
    ):
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        if cut is Cut.UNREAD:
            lost = app.token(http, **form).json()["refresh_token"]
        else:
            with pytest.raises(httpx.TransportError):
                app.token(http, **form)
            lost = None
        again = app.token(http, **form)
    assert again.status_code == 200
    fresh = again.json()["refresh_token"]
    if cut is not Cut.UNSENT:
        # What was lost is what is given now, to the letter.
        assert f'"refresh_token":"{fresh}"'.encode() in wire.swallowed
        assert lost in {None, fresh}
    after = app.refresh(fresh)
    assert after.status_code == 200
    assert after.json()["refresh_token"] != fresh
    userinfo = world.http.get("/oauth/userinfo", headers={"Authorization": f"Bearer {after.json()['access_token']}"})
    assert userinfo.status_code == 200
