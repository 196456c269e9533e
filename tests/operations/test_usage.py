"""What clients ask for is counted by client, day, kind and reason, and written down beside the requests."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from time import process_time

import pytest

from authsrv.storage.unit import Unit
from authsrv.storage.usage import DayCount, UsageKey, add_usage, list_usage, prune_usage
from authsrv.web.usage import UsageCounter, note_refusal, note_use
from tests.actors import Service
from tests.people import App, Person
from tests.support.world import Registered, World

TODAY = date(2026, 11, 21)


def written(world: World, client_id: str) -> dict[tuple[str, str], int]:
    """What stands in the table after a flush."""
    asyncio.run_coroutine_threadsafe(world.app.state.write_usage(), world._loop).result(15)  # noqa: SLF001
    since = datetime.now(UTC).date() - timedelta(days=1)
    counts: dict[tuple[str, str], int] = {}
    for row in world.transact(lambda unit: list_usage(unit, [client_id], since)):
        counts[row.kind, row.reason] = counts.get((row.kind, row.reason), 0) + row.count
    return counts


def test_tokens_refreshes_and_refusals_are_counted_for_their_client(world: World) -> None:
    store = world.add_store()
    app = App.registered(world)
    tokens = app.log_in(Person.signed_in(world, stores=(store.prefix,)))
    for _ in range(2):
        tokens = app.refresh(tokens["refresh_token"]).json()
    assert app.redeem("ac_none").status_code == 400
    wrong = Registered(app.credentials.client_id, "wrong")
    assert App(world, wrong, is_public=False).refresh("rt_none").status_code == 401
    assert written(world, app.credentials.client_id) == {
        ("token", ""): 1,
        ("refresh", ""): 2,
        ("token", "invalid_grant"): 1,
        ("refresh", "invalid_client"): 1,
    }


def test_api_calls_are_counted_with_the_reason_of_each_refusal(world: World) -> None:
    service = Service.hired(world)
    headers = service.bearer
    assert world.http.get("/orders?customer_id=1", headers=headers).status_code == 200
    assert world.http.get("/orders/none", headers=headers).status_code == 404
    counts = written(world, service.client_id)
    assert counts["api", ""] == 1
    assert counts["api", "not_found"] == 1


def test_a_name_nobody_has_registered_is_not_counted(world: World) -> None:
    assert (
        world.http.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=("app_made_up", "x")
        ).status_code
        == 401
    )
    assert written(world, "app_made_up") == {}


def test_processes_that_add_at_once_lose_nothing(world: World) -> None:
    key = UsageKey("app_busy", TODAY, "api")
    for count in (3, 4):
        world.transact(lambda unit, count=count: add_usage(unit, {key: count}))  # type: ignore[misc]
    found = world.transact(lambda unit: list_usage(unit, ["app_busy"], TODAY))
    assert found == [DayCount(TODAY, "api", "", 7)]


def test_what_many_clients_did_is_written_before_anybody_notices(unit: Unit) -> None:
    """All requests of the process wait that long; one statement of 500 rows took 150 ms of computing alone."""
    counts = {UsageKey(f"app_{number}", TODAY, "token"): number for number in range(500)}
    add_usage(unit, {UsageKey("app_0", TODAY, "token"): 1})
    began = process_time()
    add_usage(unit, counts)
    assert process_time() - began < 0.1
    assert list_usage(unit, [key.client_id for key in counts], TODAY) == [
        DayCount(TODAY, "token", "", 1 + sum(range(500)))
    ]


def test_days_past_their_time_are_pruned_in_batches(unit: Unit) -> None:
    days = [TODAY - timedelta(days=past) for past in range(5)]
    add_usage(unit, {UsageKey("app_old", day, kind): 1 for day in days for kind in ("api", "token")})
    assert prune_usage(unit, TODAY - timedelta(days=1), batch=2) == 4
    assert prune_usage(unit, TODAY - timedelta(days=1), batch=2) == 2
    assert {row.day for row in list_usage(unit, ["app_old"], days[-1])} == {days[0], days[1]}


def test_what_could_not_be_written_waits_and_is_added_to() -> None:
    counter = UsageCounter()
    scope: dict[str, object] = {}
    counter.count(scope, 200)
    note_use(scope, "app", "api")
    counter.count(scope, 200)
    taken = counter.take()
    note_refusal(scope, "x" * 100)
    counter.count(scope, 404)
    counter.count(scope, 200)
    counter.put_back(taken)
    assert counter.take() == {("app", "api", ""): 2, ("app", "api", "x" * 40): 1}
    assert counter.take() == {}


@pytest.mark.parametrize("most_seconds", [50e-6])
def test_counting_costs_a_request_next_to_nothing(most_seconds: float) -> None:
    """Generous, so that a busy machine is no failure; a statement or a lock would be seen."""
    counter, rounds = UsageCounter(), 20_000
    scope: dict[str, object] = {}
    began = process_time()
    for _ in range(rounds):
        note_use(scope, "app", "api")
        counter.count(scope, 200)
    assert (process_time() - began) / rounds < most_seconds
