"""Long-lived secrets: recognisable, checkable, and stored as nothing that could be used."""

import re

from hypothesis import given
from hypothesis import strategies as st

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.machine_secrets import digest_of, is_well_formed, make_secret, matches_any, spell_secret

SECRET = make_secret("cs_", SystemEntropy())


def test_a_secret_is_a_prefix_256_bits_and_a_checksum() -> None:
    assert re.fullmatch(r"cs_[A-Za-z0-9_-]{43}[A-Za-z0-9]{6}", SECRET)
    assert make_secret("cs_", SystemEntropy()) != SECRET


@given(st.binary(min_size=32, max_size=32))
def test_every_secret_is_well_formed_and_its_own(bits: bytes) -> None:
    secret = spell_secret("cs_", bits)
    assert is_well_formed("cs_", secret)
    assert not is_well_formed("ak_", secret)
    assert matches_any(secret, [digest_of(SECRET), digest_of(secret)])


@given(st.integers(0, len(SECRET) - 1), st.sampled_from("abcXYZ019-_"))
def test_a_typo_is_seen_before_anything_is_looked_up(at: int, other: str) -> None:
    mistyped = SECRET[:at] + other + SECRET[at + 1 :]
    assert is_well_formed("cs_", mistyped) == (mistyped == SECRET)


@given(st.text(max_size=80))
def test_no_text_breaks_the_check(text: str) -> None:
    assert not is_well_formed("cs_", text)


def test_what_is_stored_is_32_bytes_that_are_no_secret() -> None:
    stored = digest_of(SECRET)
    assert len(stored) == 32
    assert not matches_any(stored.hex(), [stored])
    assert not matches_any("", [stored])
    assert not matches_any(SECRET, [])
    assert not matches_any(SECRET + " ", [stored])
