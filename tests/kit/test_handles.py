"""Sealed handles: what the server made opens, anything else does not."""

import string
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authsrv.kit.handles import Handle, HandleSealer, Purpose
from authsrv.kit.secret_keys import SecretKeys

OLD, NEW = "the first secret of the tests, long enough", "another secret of the tests, long enough"
SEALER = HandleSealer(SecretKeys([OLD]))
CODE, REFRESH, TWIN = Purpose(1, "ac_"), Purpose(2, "rt_"), Purpose(4, "ac_")
ROW = UUID("0192f0c1-2345-7abc-8def-0123456789ab")
SEALED = SEALER.seal(CODE, Handle(ROW, 7, b"more"))
ALPHABET = string.ascii_letters + string.digits + "-_"

handles = st.builds(Handle, st.uuids(), st.integers(0, 2**64 - 1), st.binary(max_size=200))


@given(handles)
def test_a_handle_opens_as_it_was_sealed(handle: Handle) -> None:
    sealed = SEALER.seal(CODE, handle)
    assert sealed.startswith("ac_")
    assert set(sealed) <= set(ALPHABET)
    assert SEALER.open(CODE, sealed) == handle


@given(handles, st.data())
def test_no_handle_survives_a_changed_bit(handle: Handle, data: st.DataObject) -> None:
    sealed = SEALER.seal(CODE, handle)
    at = data.draw(st.integers(3, len(sealed) - 1))
    other = data.draw(st.sampled_from([char for char in ALPHABET if char != sealed[at]]))
    assert SEALER.open(CODE, sealed[:at] + other + sealed[at + 1 :]) is None


def test_no_handle_survives_a_change_at_any_place() -> None:
    for at in range(3, len(SEALED)):
        for other in ALPHABET:
            if other != SEALED[at]:
                assert SEALER.open(CODE, SEALED[:at] + other + SEALED[at + 1 :]) is None


def test_no_part_of_a_handle_opens() -> None:
    for end in range(len(SEALED)):
        assert SEALER.open(CODE, SEALED[:end]) is None
    for start in range(1, len(SEALED)):
        assert SEALER.open(CODE, SEALED[start:]) is None
        assert SEALER.open(CODE, "ac_" + SEALED[3 + start :]) is None


@given(st.text(max_size=200))
@example("")
@example("ac_")
@example("ac_====")
@example("ac_\ud800")
@example("ac_" + "A" * 100_000)
def test_nothing_else_opens(text: str) -> None:
    assert SEALER.open(CODE, text) is None
    assert SEALER.open(CODE, f"ac_{text}") is None


def test_a_code_never_passes_for_a_refresh_token() -> None:
    assert SEALER.open(REFRESH, SEALED) is None
    assert SEALER.open(REFRESH, "rt_" + SEALED[3:]) is None
    # Nor where both kinds begin alike.
    assert SEALER.open(TWIN, SEALED) is None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text + "=", id="padding"),
        pytest.param(lambda text: text + "==", id="more padding"),
        pytest.param(lambda text: text + "\n", id="a line break behind it"),
        pytest.param(lambda text: f" {text}", id="a space before it"),
        pytest.param(lambda text: text[:10] + "\n" + text[10:], id="a line break in it"),
        pytest.param(lambda text: text.upper(), id="upper case"),
        pytest.param(lambda text: text.replace("_", "/").replace("-", "+"), id="the other alphabet"),
    ],
)
def test_a_handle_has_one_spelling(change: object) -> None:
    # A handle in which both special characters occur.
    sealed = next(
        text
        for counter in range(10_000)
        if {"-", "_"} <= set((text := SEALER.seal(CODE, Handle(ROW, counter, b"????")))[3:])
    )
    assert callable(change)
    assert SEALER.open(CODE, change(sealed)) is None


def test_spare_bits_of_the_last_character_must_be_zero() -> None:
    # 45 octets and attachments of one and two more: with spare bits and without.
    for attachment in (b"", b"1", b"12"):
        handle = Handle(ROW, 1, attachment)
        sealed = SEALER.seal(CODE, handle)
        spellings = [SEALER.open(CODE, sealed[:-1] + last) for last in ALPHABET]
        assert [found for found in spellings if found is not None] == [handle]


def test_a_second_secret_opens_what_the_first_one_sealed() -> None:
    both = HandleSealer(SecretKeys([NEW, OLD]))
    assert both.open(CODE, SEALED) == Handle(ROW, 7, b"more")
    resealed = both.seal(CODE, Handle(ROW, 7, b"more"))
    assert resealed != SEALED
    # The new one seals, so the old one can go.
    assert HandleSealer(SecretKeys([NEW])).open(CODE, resealed) is not None
    assert HandleSealer(SecretKeys([NEW])).open(CODE, SEALED) is None


@pytest.mark.parametrize("secrets", [[], ["short"], [NEW, "x" * 31]], ids=["none", "a short one", "a short second"])
def test_a_secret_that_could_be_guessed_is_refused(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="secret key"):
        SecretKeys(secrets)
