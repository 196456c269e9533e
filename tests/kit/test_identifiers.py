"""UUIDv7: ordered as they were made, whatever the clock does (RFC 9562, 5.7)."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.identifiers import Identifiers, is_uuid7, made_at, parse_uuid
from tests.support.world import ManualClock


def test_they_are_version_7_of_the_standards_variant() -> None:
    made = Identifiers(ManualClock(), SystemEntropy()).next()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert is_uuid7(made)
    assert not is_uuid7(UUID("6f9619ff-8b86-4011-b42d-00cf4fc964ff"))


def test_they_tell_when_they_were_made() -> None:
    clock = ManualClock()
    made = Identifiers(clock, SystemEntropy()).next()
    assert abs(made_at(made) - clock.now()) < timedelta(microseconds=2)


@given(st.lists(st.integers(-5_000_000, 5_000_000), max_size=50))
def test_each_is_greater_than_the_one_before_even_when_the_clock_steps_back(steps: list[int]) -> None:
    clock = ManualClock()
    identifiers = Identifiers(clock, SystemEntropy())
    made = [identifiers.next()]
    for step in steps:
        clock.move(timedelta(microseconds=step))
        made.append(identifiers.next())
    assert made == sorted(set(made))
    assert [str(one) for one in made] == sorted(str(one) for one in made)
    assert [one.bytes for one in made] == sorted(one.bytes for one in made)


def test_thousands_in_one_moment_are_all_different() -> None:
    identifiers = Identifiers(ManualClock(), SystemEntropy())
    made = [identifiers.next() for _ in range(10_000)]
    assert made == sorted(set(made))


@given(st.uuids())
def test_an_id_is_read_in_its_own_spelling(identifier: UUID) -> None:
    assert parse_uuid(str(identifier)) == identifier


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "0192F0C1-2345-7ABC-8DEF-0123456789AB",
        "0192f0c123457abc8def0123456789ab",
        "{0192f0c1-2345-7abc-8def-0123456789ab}",
        "urn:uuid:0192f0c1-2345-7abc-8def-0123456789ab",
        " 0192f0c1-2345-7abc-8def-0123456789ab",
        "\uff10192f0c1-2345-7abc-8def-0123456789ab",
    ],
)
def test_no_other_spelling_is_an_id(text: str) -> None:
    assert parse_uuid(text) is None


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    assert parse_uuid(text) is None
