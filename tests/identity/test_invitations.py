"""How many invitations there may be in a day, and when the next may go."""

from datetime import timedelta
from uuid import UUID

import pytest

from authsrv.identity.invitations import TooManyInvitations, invite
from authsrv.kit.handles import HandleSealer
from authsrv.kit.secret_keys import SecretKeys
from authsrv.storage.invitations import INTO_STORE
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_user
from tests.support.world import ManualClock

SEALER = HandleSealer(SecretKeys(["a secret of at least thirty-two bytes"]))
PLACE = UUID(int=1)


@pytest.fixture
def host(unit: Unit) -> UUID:
    return add_user(unit, email="casey@example.com").id


def send(unit: Unit, host: UUID, email: str, place: UUID = PLACE) -> None:
    invite(unit, SEALER, kind=INTO_STORE, target_id=place, email=email, role="staff", invited_by=host)


def refused_for(unit: Unit, host: UUID, email: str) -> int:
    """In how many seconds the address may be invited, who may not now."""
    with pytest.raises(TooManyInvitations) as refused:
        send(unit, host, email)
    return refused.value.wait_seconds


def test_an_address_is_invited_again_when_it_is_said(unit: Unit, clock: ManualClock, host: UUID) -> None:
    for _ in range(4):
        send(unit, host, "nell@example.com")
        clock.move(timedelta(hours=1))
    assert refused_for(unit, host, "nell@example.com") == 20 * 3600
    clock.move(timedelta(hours=20, seconds=-1))
    assert refused_for(unit, host, "nell@example.com") == 1
    clock.move(timedelta(seconds=1))
    send(unit, host, "nell@example.com")
    assert refused_for(unit, host, "nell@example.com") == 3600


def test_of_several_limits_the_one_that_lasts_longest_is_told(unit: Unit, clock: ManualClock, host: UUID) -> None:
    for _ in range(4):
        send(unit, host, "nell@example.com", place=UUID(int=2))
    clock.move(timedelta(hours=5))
    for number in range(40):
        send(unit, host, f"{number}@example.com")
    clock.move(timedelta(hours=1))
    assert refused_for(unit, host, "somebody@example.com") == 23 * 3600
    assert refused_for(unit, host, "nell@example.com") == 23 * 3600
