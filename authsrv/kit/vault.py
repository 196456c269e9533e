"""Seals what must be stored but not read from a stolen database: AES-256-GCM under a derived key (NIST SP 800-38D)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from authsrv.kit.entropy import Entropy
from authsrv.kit.secret_keys import KEY_ID_BYTES, SecretKeys

_NONCE_BYTES = 12


class SealBroken(Exception):
    """The sealed bytes were changed, moved to another row, or sealed by a secret that is no longer held."""


class Vault:
    """Seals for one purpose; `owner` ties the sealed bytes to their row."""

    def __init__(self, keys: SecretKeys, purpose: str, entropy: Entropy) -> None:
        self._keys = keys
        self._purpose = f"vault {purpose}"
        self._entropy = entropy

    def seal(self, plain: bytes, owner: bytes) -> bytes:
        """Key id, nonce and ciphertext, as one value to store."""
        key = self._keys.sealing(self._purpose)
        nonce = self._entropy.token_bytes(_NONCE_BYTES)
        return key.key_id + nonce + AESGCM(key.material).encrypt(nonce, plain, owner)

    def open(self, sealed: bytes, owner: bytes) -> bytes:
        """The plain bytes; raises SealBroken."""
        key = self._keys.opening(self._purpose, sealed[:KEY_ID_BYTES])
        if key is None:
            raise SealBroken("sealed by a secret key that is not in the settings")
        nonce, ciphertext = sealed[KEY_ID_BYTES : KEY_ID_BYTES + _NONCE_BYTES], sealed[KEY_ID_BYTES + _NONCE_BYTES :]
        try:
            return AESGCM(key.material).decrypt(nonce, ciphertext, owner)
        except (InvalidTag, ValueError) as broken:
            raise SealBroken("the sealed bytes are damaged or belong to another row") from broken
