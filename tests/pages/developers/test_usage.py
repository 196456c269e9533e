"""A developer sees what the app asked for, day by day, and how it stands with its limits."""

import re
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from authsrv.storage.client_members import ADMIN, add_member
from authsrv.storage.clients import find_client
from authsrv.storage.unit import Unit
from authsrv.storage.usage import UsageKey, add_usage
from tests.actors import Service
from tests.people import Person
from tests.support.world import World

MILLION = 1_000_000


def developer_of(world: World, client_id: str) -> Person:
    person = Person.signed_in(world)

    def join(unit: Unit) -> None:
        client = find_client(unit, client_id)
        assert client is not None
        add_member(unit, client_row_id=client.id, user_id=person.user_id, role=ADMIN)

    world.transact(join)
    return person


def test_an_app_that_asked_for_nothing_yet_is_told_so(world: World) -> None:
    service = Service.hired(world)
    page = developer_of(world, service.client_id).visit(f"/developers/apps/{service.client_id}/usage")
    assert "Nothing counted yet" in page.text
    assert "<svg" in page.text  # the mark
    assert 'class="chart"' not in page.text


def test_thirty_days_are_drawn_and_told_as_numbers(world: World) -> None:
    service, today = Service.hired(world), datetime.now(UTC).date()
    counts = {
        UsageKey(service.client_id, today, "token"): 3,
        UsageKey(service.client_id, today - timedelta(days=1), "token"): 1234,
        UsageKey(service.client_id, today - timedelta(days=2), "refresh"): 7,
        UsageKey(service.client_id, today, "api"): 40,
        UsageKey(service.client_id, today, "api", "not_found"): 2,
        UsageKey(service.client_id, today, "token", "invalid_client"): 5,
        UsageKey(service.client_id, today - timedelta(days=30), "token"): 99_999,
    }
    world.transact(lambda unit: add_usage(unit, counts))
    page = developer_of(world, service.client_id).visit(f"/developers/apps/{service.client_id}/usage")
    sums = re.findall(r"<figcaption><span>([^<]+)</span> <strong>([^<]+)</strong>", page.text)
    assert sums == [("Tokens", "1,237"), ("Refreshes", "7"), ("API calls", "42"), ("Errors", "7")]
    assert page.text.count('<td data-label="Day">') == 30
    assert "Tokens: 1,237 in 30 days. Most on" in page.text
    assert page.text.index("invalid_client") < page.text.index("not_found")
    assert len(re.findall(r'class="bar-of-day"', page.text)) == 4
    assert not re.search(r"<script(?! src=)|style=", page.text)


def test_limits_are_shown_as_they_stand_now(sqlite_world: World) -> None:
    service = Service.hired(sqlite_world, api_limit="50/hour", token_limit="20/hour")
    for _ in range(3):
        sqlite_world.http.get("/orders?customer_id=1", headers=service.bearer)
    page = developer_of(sqlite_world, service.client_id).visit(f"/developers/apps/{service.client_id}/usage")
    assert "1 of 20" in page.text
    assert "3 of 50" in page.text
    assert f"API calls in {service.store}" in page.text


@pytest.mark.parametrize("apps", [200])
def test_a_million_counted_requests_are_shown_within_300_ms(world: World, apps: int) -> None:
    """The rows are days, kinds and reasons: of this app and of many others, each day of a season."""
    service, today = Service.hired(world), datetime.now(UTC).date()
    reasons = ("", "invalid_grant", "invalid_client", "not_found", "rate_limited", "insufficient_scope")
    others = [f"app_{uuid4().hex}" for _ in range(apps)]
    kinds = [(kind, reason) for kind in ("token", "refresh", "api") for reason in reasons]
    mine = {
        UsageKey(service.client_id, today - timedelta(days=day), *kind): 2000 for day in range(30) for kind in kinds
    }
    rest = {UsageKey(app, today - timedelta(days=day), "api"): 9 for app in others for day in range(90)}
    for counts in (mine, rest):
        world.transact(lambda unit, counts=counts: add_usage(unit, counts))  # type: ignore[misc]
    assert sum(mine.values()) > MILLION
    person = developer_of(world, service.client_id)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        page = person.browser.get(f"/developers/apps/{service.client_id}/usage")
        times.append(time.perf_counter() - began)
        assert page.status_code == 200
        assert len(page.content) < 100 * 1024
    assert min(times) < 0.3, times
