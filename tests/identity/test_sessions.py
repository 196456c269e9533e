"""Sessions: how long they last, and what ends them."""

from datetime import timedelta
from uuid import UUID

import pytest

from authsrv.identity.sessions import SESSION_COOKIE, Sessions
from authsrv.kit.handles import Handle, HandleSealer
from authsrv.kit.secret_keys import SecretKeys
from authsrv.storage.sessions import Session
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, add_user
from tests.support.world import ManualClock

SEALER = HandleSealer(SecretKeys(["a secret of at least thirty-two bytes"]))
HOUR = timedelta(hours=1)


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(SEALER, idle_seconds=12 * 3600, absolute_seconds=30 * 86_400)


@pytest.fixture
def user(unit: Unit) -> User:
    return add_user(unit, email="casey@example.com", name="Casey")


def test_a_session_says_who_and_how_and_since_when(unit: Unit, sessions: Sessions, user: User) -> None:
    cookie, begun = sessions.begin(unit, user, ("otp",), "a browser", "192.0.2.1")
    assert sessions.find(unit, cookie) == begun
    assert (begun.user_id, begun.email, begun.name) == (user.id, "casey@example.com", "Casey")
    assert begun.amr == ("otp",)
    assert begun.auth_time == unit.now()


@pytest.mark.parametrize("cookie", [None, "", "ss_", "ss_forged", "x" * 5000])
def test_no_cookie_of_ours_is_nobody(unit: Unit, sessions: Sessions, cookie: str | None) -> None:
    assert sessions.find(unit, cookie) is None


def test_a_good_seal_over_no_session_is_nobody(unit: Unit, sessions: Sessions) -> None:
    assert sessions.find(unit, SEALER.seal(SESSION_COOKIE, Handle(UUID(int=1), 0))) is None


def test_a_session_ends_twelve_hours_after_its_last_use(
    unit: Unit, sessions: Sessions, user: User, clock: ManualClock
) -> None:
    cookie, _ = sessions.begin(unit, user, ("otp",), "", "")
    for _ in range(3):
        clock.move(11 * HOUR)
        assert sessions.find(unit, cookie) is not None
    clock.move(12 * HOUR)
    assert sessions.find(unit, cookie) is None


def test_however_much_it_is_used_a_session_ends_after_thirty_days(
    unit: Unit, sessions: Sessions, user: User, clock: ManualClock
) -> None:
    cookie, _ = sessions.begin(unit, user, ("otp",), "", "")
    for _ in range(71):
        clock.move(10 * HOUR)
        assert sessions.find(unit, cookie) is not None
    clock.move(10 * HOUR)
    assert sessions.find(unit, cookie) is None


def test_its_use_is_noted_every_few_minutes_not_at_every_click(
    unit: Unit, sessions: Sessions, user: User, clock: ManualClock
) -> None:
    cookie, begun = sessions.begin(unit, user, ("otp",), "", "")

    def seen_after(by: timedelta) -> bool:
        clock.move(by)
        sessions.find(unit, cookie)
        unit.session.expire_all()
        row = unit.session.get(Session, begun.session_id)
        assert row is not None
        return row.seen_at == unit.now()

    assert not seen_after(timedelta(minutes=4))
    assert seen_after(timedelta(minutes=2))


def test_ending_a_session_is_heard_once(unit: Unit, sessions: Sessions, user: User) -> None:
    cookie, begun = sessions.begin(unit, user, ("otp",), "", "")
    heard: list[UUID] = []
    sessions.on_end(lambda _, session_id, __: heard.append(session_id))
    assert not sessions.end(unit, begun.session_id, UUID(int=1))
    assert sessions.end(unit, begun.session_id, user.id)
    assert not sessions.end(unit, begun.session_id, user.id)
    assert heard == [begun.session_id]
    assert sessions.find(unit, cookie) is None


def test_all_others_can_be_ended_at_once(unit: Unit, sessions: Sessions, user: User) -> None:
    begun = [sessions.begin(unit, user, ("otp",), "", "")[1] for _ in range(3)]
    assert sessions.end_others(unit, begun[1].session_id, user.id) == 2
    assert [row.id for row in sessions.list_living(unit, user.id)] == [begun[1].session_id]
