"""What watches over the server: liveness, readiness, metrics."""

import re

from tests.actors import Service
from tests.support.world import World


def test_a_server_that_lives_says_so(world: World) -> None:
    answer = world.http.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert answer.headers["cache-control"] == "no-store"


def test_a_server_that_can_answer_says_so(world: World) -> None:
    answer = world.http.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "faults": {}}


def test_metrics_count_requests_by_route_and_never_by_path(world: World) -> None:
    service = Service.hired(world)
    order_id = service.place().json()["order_id"]
    before = _count(world, "/orders/{order_id}")
    service.read(order_id)
    service.read(order_id)
    answer = world.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert _count(world, "/orders/{order_id}") == before + 2
    assert order_id not in answer.text
    assert service.client_id not in answer.text


def test_paths_nobody_knows_make_no_metrics_of_their_own(world: World) -> None:
    world.http.get("/made-up-path")
    text = world.http.get("/metrics").text
    assert "made-up-path" not in text
    assert 'route="(none)"' in text


def _count(world: World, route: str) -> int:
    pattern = rf'authsrv_requests_total{{method="GET",route="{re.escape(route)}",status="200"}} ([0-9.]+)'
    found = re.search(pattern, world.http.get("/metrics").text)
    return int(float(found[1])) if found else 0
