"""The line of an answered request: as structlog would write it, and one write for all of a turn of the loop."""

import asyncio
import io
from collections.abc import Iterator
from datetime import datetime

import orjson
import pytest

from authsrv.operations.logs import RequestLines
from authsrv.web.gate import Answered


class CountingStream(io.BytesIO):
    """Counts how often it is written to."""

    writes = 0

    def write(self, octets: object) -> int:
        self.writes += 1
        return super().write(octets)  # type: ignore[arg-type]


@pytest.fixture
def stream() -> Iterator[CountingStream]:
    with CountingStream() as opened:
        yield opened


def answered(status: int) -> Answered:
    return Answered("GET", "/orders/{order_id}", status, 0.0012345, "203.0.113.7", "00ff")


async def test_all_requests_of_a_turn_are_written_at_once_each_on_its_line(stream: CountingStream) -> None:
    log = RequestLines(stream)
    log(answered(200))
    log(answered(404))
    assert stream.writes == 0
    await asyncio.sleep(0)
    assert stream.writes == 1
    log(answered(500))
    await asyncio.sleep(0)
    lines = [orjson.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["status"] for line in lines] == [200, 404, 500]
    assert datetime.fromisoformat(lines[0].pop("timestamp")).utcoffset() is not None
    assert lines[0] == {
        "method": "GET",
        "route": "/orders/{order_id}",
        "status": 200,
        "milliseconds": 1.23,
        "client": "203.0.113.7",
        "request_id": "00ff",
        "event": "request",
        "level": "info",
    }
