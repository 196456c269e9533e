"""Grants that nobody can meet any more are deleted; the last consent, and whatever can be refreshed, stay."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from authsrv.storage.clients import find_client
from authsrv.storage.grants import BEFORE_ALL, Grant, find_grants_client, prune_grants, prune_superseded_grants
from authsrv.storage.unit import Unit
from tests.people import App, Person
from tests.support.world import World

OLD, YOUNG = timedelta(days=33), timedelta(days=31)


@dataclass
class Consents:
    """What one person allows one app, time after time."""

    world: World
    app: App
    person: Person

    def add(self, *, age: timedelta = OLD, **changes: object) -> UUID:
        def work(unit: Unit) -> UUID:
            client, now = find_client(unit, self.app.credentials.client_id), unit.now()
            assert client is not None
            values = {
                "id": unit.new_id(),
                "user_id": self.person.user_id,
                "client_id": client.id,
                "scope": "openid",
                "requested_scope": "openid",
                "auth_time": now - age,
                "created_at": now - age,
                "expires_at": now + timedelta(days=300),
                **changes,
            }
            unit.session.add(grant := Grant(**values))
            return grant.id

        return self.world.transact(work)

    def prune(self, batch: int, *, behind: UUID) -> tuple[int, UUID]:
        """One look, from this grant on: others of the same world are none of ours."""
        after = UUID(int=behind.int - 1)
        return self.world.transact(lambda unit: prune_superseded_grants(unit, batch, after))

    def pruned(self, *grants: UUID) -> list[bool]:
        """Which of them pruning takes."""
        self.prune(500, behind=min(grants))
        return self.are_gone(*grants)

    def are_gone(self, *grants: UUID) -> list[bool]:
        return self.world.transact(lambda unit: [find_grants_client(unit, grant) is None for grant in grants])


@pytest.fixture
def consents(world: World) -> Consents:
    return Consents(world, App.registered(world), Person.signed_in(world))


def test_of_many_grants_that_say_the_same_only_the_last_stays(consents: Consents) -> None:
    grants = [consents.add() for _ in range(3)]
    assert consents.pruned(*grants) == [True, True, False]


def test_what_somebody_may_still_meet_stays(consents: Consents) -> None:
    young = consents.add(age=YOUNG)
    refreshable = consents.add(is_refreshable=True)
    other_scope = consents.add(scope="openid email")
    elsewhere = consents.add(store_id=consents.world.add_store().id)
    last = consents.add()
    assert consents.pruned(young, refreshable, other_scope, elsewhere, last) == [False] * 5


def test_a_grant_that_was_revoked_supersedes_nothing(consents: Consents) -> None:
    first = consents.add()
    revoked = consents.add(revoked_at=consents.world.runtime.clock.now())
    assert consents.pruned(first, revoked) == [False, False]


def test_a_look_goes_on_where_the_last_one_ended_and_then_begins_anew(consents: Consents) -> None:
    first, second, third, _, last = grants = [consents.add() for _ in range(5)]
    assert consents.prune(2, behind=first) == (2, second)
    assert consents.prune(2, behind=third)[0] == 2
    assert consents.prune(2, behind=last) == (0, BEFORE_ALL)
    assert consents.pruned(*grants) == [True] * 4 + [False]


def test_the_young_end_a_look(consents: Consents) -> None:
    old, young = consents.add(), consents.add(age=YOUNG)
    assert consents.prune(500, behind=young) == (0, BEFORE_ALL)
    assert consents.pruned(old, young) == [True, False]


def test_what_has_come_to_its_end_goes_in_batches_the_oldest_first(consents: Consents) -> None:
    # Longer ago than whatever else this world holds.
    ended = consents.world.runtime.clock.now() - timedelta(days=3650)
    last, first, second = (consents.add(expires_at=ended + timedelta(days=day)) for day in (2, 0, 1))
    living = consents.add()
    assert consents.world.transact(lambda unit: prune_grants(unit, 2)) == 2
    assert consents.are_gone(first, second, last, living) == [True, True, False, False]
    consents.world.transact(lambda unit: prune_grants(unit, 500))
    assert consents.are_gone(last, living) == [True, False]
