"""Limits that servers share through Redis, and what becomes of them when it is away and when it is back."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.actors import Service
from tests.support.databases import migrate_with_keys
from tests.support.redis import RedisServer
from tests.support.world import World


@pytest.fixture
def servers(tmp_path: Path, redis_server: RedisServer) -> Iterator[tuple[World, World]]:
    """Two servers on one database and one Redis; four tokens a minute for each client."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    limits = {"token_per_client": "4/minute"}
    one, other = (World(url, rate_limit_url=redis_server.url(), limits=limits) for _ in range(2))
    yield one, other
    one.close()
    other.close()


def at(world: World, service: Service) -> Service:
    """The same service, calling another server."""
    return Service(world, service.store, service.credentials)


def away(world: World) -> str:
    lines = world.http.get("/metrics").text.splitlines()
    return next(line for line in lines if line.startswith("authsrv_limits_redis_away ")).rpartition(" ")[2]


def test_two_servers_count_together(servers: tuple[World, World]) -> None:
    one, other = servers
    here = Service.hired(one)
    there = at(other, here)
    answers = [service.ask_for_token() for service in (here, there, here, there, here, there)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    left = [answer.headers["ratelimit"].partition(";t=")[0] for answer in answers[:4]]
    assert left == [f'"default";r={number}' for number in (3, 2, 1, 0)]
    waits = {int(answer.headers["retry-after"]) for answer in answers[4:]}
    assert all(55 <= wait <= 60 for wait in waits)


def test_while_redis_is_away_each_counts_for_itself(servers: tuple[World, World], redis_server: RedisServer) -> None:
    one, other = servers
    here = Service.hired(one)
    there = at(other, here)
    assert [here.ask_for_token().status_code for _ in range(5)] == [200] * 4 + [429]
    redis_server.stop()
    with capture_logs() as logs:
        began = time.monotonic()
        assert [here.ask_for_token().status_code for _ in range(5)] == [200] * 4 + [429]
        assert [there.ask_for_token().status_code for _ in range(5)] == [200] * 4 + [429]
        assert time.monotonic() - began < 5
    said = [entry for entry in logs if entry["event"].startswith("Redis is away")]
    # Once for each server.
    assert len(said) == 2
    time.sleep(1.5)
    assert away(one) == "1.0"
    redis_server.start()
    # It is tried again every two seconds.
    time.sleep(2)
    assert [here.ask_for_token().status_code for _ in range(2)] == [200, 200]
    time.sleep(2)
    assert [there.ask_for_token().status_code for _ in range(3)] == [200, 200, 429]
    time.sleep(1.5)
    assert away(one) == "0.0"
