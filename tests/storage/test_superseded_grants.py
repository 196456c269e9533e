"""Grants that nobody can meet any more are deleted; the last consent, and whatever can be refreshed, stay."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from authsrv.storage.clients import find_client
from authsrv.storage.grants import Grant, find_grants_client, prune_superseded_grants
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

    def pruned(self, *grants: UUID) -> list[bool]:
        """Which of them pruning takes."""
        self.world.transact(lambda unit: prune_superseded_grants(unit, 500))
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


def test_no_more_are_deleted_at_once_than_were_asked_for(consents: Consents) -> None:
    for _ in range(4):
        consents.add()
    assert consents.world.transact(lambda unit: prune_superseded_grants(unit, 2)) == 2
    assert consents.world.transact(lambda unit: prune_superseded_grants(unit, 2)) == 1
