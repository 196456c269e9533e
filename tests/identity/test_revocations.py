"""What is void, and what is not: told by the time inside the token's id."""

from datetime import timedelta

import pytest

from authsrv.identity.revocations import RevocationList
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers
from authsrv.storage.unit import Notice, NoticeKind
from tests.support.world import ManualClock

HOUR = timedelta(hours=1)


@pytest.fixture
def identifiers(clock: ManualClock) -> Identifiers:
    return Identifiers(clock, SystemEntropy())


@pytest.fixture
def revocations(clock: ManualClock) -> RevocationList:
    return RevocationList(clock)


KINDS = [NoticeKind.GRANT, NoticeKind.CLIENT, NoticeKind.USER]


def test_a_token_that_was_named_is_void_and_no_other(
    clock: ManualClock, identifiers: Identifiers, revocations: RevocationList
) -> None:
    jti, other = identifiers.next(), identifiers.next()
    revocations.apply([Notice(identifiers.next(), NoticeKind.TOKEN, str(jti), clock.now() + HOUR)])
    assert revocations.is_void(jti, [])
    assert not revocations.is_void(other, [])


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_issued_before_is_void_and_what_comes_after_is_not(
    clock: ManualClock, identifiers: Identifiers, revocations: RevocationList, kind: NoticeKind
) -> None:
    # All within the same moment: whole seconds would not tell them apart.
    before = identifiers.next()
    revocations.apply([Notice(identifiers.next(), kind, "it", clock.now() + HOUR)])
    after = identifiers.next()
    assert revocations.is_void(before, [(kind, "it")])
    assert not revocations.is_void(after, [(kind, "it")])
    assert not revocations.is_void(before, [(kind, "another")])
    assert not revocations.is_void(before, [(kind, None)])


@pytest.mark.parametrize("kind", KINDS)
def test_lines_may_come_twice_and_in_any_order(
    clock: ManualClock, identifiers: Identifiers, revocations: RevocationList, kind: NoticeKind
) -> None:
    first = Notice(identifiers.next(), kind, "it", clock.now() + HOUR)
    between = identifiers.next()
    second = Notice(identifiers.next(), kind, "it", clock.now() + HOUR)
    revocations.apply([second, first, first])
    revocations.apply([first])
    assert revocations.is_void(between, [(kind, "it")])
    assert len(revocations) == 1


def test_news_voids_nothing(clock: ManualClock, identifiers: Identifiers, revocations: RevocationList) -> None:
    jti = identifiers.next()
    news = [NoticeKind.CLIENT_CHANGED, NoticeKind.KEYS_CHANGED, NoticeKind.STORE_CHANGED]
    revocations.apply([Notice(identifiers.next(), kind, "it", clock.now() + HOUR) for kind in news])
    assert len(revocations) == 0
    assert not revocations.is_void(jti, [(NoticeKind.CLIENT, "it")])


def test_memory_is_given_back_when_no_token_can_live(
    clock: ManualClock, identifiers: Identifiers, revocations: RevocationList
) -> None:
    revocations.apply([Notice(identifiers.next(), NoticeKind.TOKEN, "it", clock.now() + HOUR)])
    clock.move(HOUR - timedelta(seconds=1))
    revocations.forget_expired(clock.now())
    assert len(revocations) == 1
    clock.move(timedelta(seconds=1))
    revocations.forget_expired(clock.now())
    assert len(revocations) == 0


def test_knowledge_ages_from_the_start_of_the_last_reading(clock: ManualClock, revocations: RevocationList) -> None:
    assert revocations.age_seconds() == float("inf")
    began = clock.monotonic()
    clock.move(timedelta(seconds=3))
    revocations.mark_read(began)
    assert revocations.age_seconds() == 3
    # An older reading that ends later makes nothing older.
    revocations.mark_read(began - 10)
    assert revocations.age_seconds() == 3
