"""What is stored sealed cannot be read, changed or moved to another row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.vault import SealBroken, Vault

OLD, NEW = "the first secret of the tests, long enough", "another secret of the tests, long enough"
VAULT = Vault(SecretKeys([OLD]), "signing key", SystemEntropy())


@given(st.binary(max_size=500), st.binary(max_size=50))
def test_what_was_sealed_opens_for_its_row(plain: bytes, owner: bytes) -> None:
    assert VAULT.open(VAULT.seal(plain, owner), owner) == plain


def test_the_same_text_never_looks_the_same_and_does_not_show() -> None:
    one, other = VAULT.seal(b"a private key", b"row"), VAULT.seal(b"a private key", b"row")
    assert one != other
    assert b"private" not in one


def test_nothing_opens_for_another_row() -> None:
    sealed = VAULT.seal(b"a private key", b"row")
    with pytest.raises(SealBroken):
        VAULT.open(sealed, b"another row")


def test_nothing_opens_for_another_purpose() -> None:
    sealed = VAULT.seal(b"a private key", b"row")
    with pytest.raises(SealBroken):
        Vault(SecretKeys([OLD]), "something else", SystemEntropy()).open(sealed, b"row")


def test_nothing_opens_once_a_bit_is_changed_or_missing() -> None:
    sealed = VAULT.seal(b"a private key", b"row")
    for at in range(len(sealed)):
        broken = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        for wrong in (broken, sealed[:at]):
            with pytest.raises(SealBroken):
                VAULT.open(wrong, b"row")


def test_a_second_secret_opens_what_the_first_one_sealed() -> None:
    sealed = VAULT.seal(b"a private key", b"row")
    both = Vault(SecretKeys([NEW, OLD]), "signing key", SystemEntropy())
    assert both.open(sealed, b"row") == b"a private key"
    with pytest.raises(SealBroken, match="not in the settings"):
        Vault(SecretKeys([NEW]), "signing key", SystemEntropy()).open(sealed, b"row")
