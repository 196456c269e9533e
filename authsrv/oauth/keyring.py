"""The signing keys of this server: announced before they sign, kept after they stop (RFC 7517; RFC 8725, 3.1).

Which key signs is told by the clock from what every process has read, so all of them change over at the same moment:
`signs_at` of the newest key that has come to it. A key goes only when every token it can have signed has expired.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import orjson
from joserfc.jwk import Key

from authsrv.kit.clock import Clock
from authsrv.kit.signing import ALGORITHMS, Algorithm, Signer, export_private, generate_key, import_private, public_jwk
from authsrv.kit.vault import Vault
from authsrv.storage.audit import add_audit_event
from authsrv.storage.signing_keys import SigningKey, add_signing_key, list_signing_keys, lock_signing_keys
from authsrv.storage.unit import Notice, NoticeKind, Unit

# No access or ID token may live longer (settings and clients are held to it), so no key needs to be kept longer.
LONGEST_TOKEN = timedelta(days=31)
_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RingKey:
    """A key ready to sign or to check with."""

    kid: str
    algorithm: Algorithm
    key: Key
    signer: Signer
    signs_at: datetime
    expires_at: datetime | None


class Keyring:
    """The keys in memory. Reads them when told that they changed; needs no database to sign or to check."""

    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock
        self._keys: dict[str, RingKey] = {}
        self._jwks = b'{"keys":[]}'
        self.is_stale = True

    def load(self, unit: Unit) -> None:
        """Reads all shown keys. Raises SealBroken when a key's secret is not among the settings' secret keys."""
        self.is_stale = False
        keys = [self._open(row) for row in list_signing_keys(unit)]
        self._keys = {key.kid: key for key in keys}
        self._jwks = orjson.dumps({"keys": [public_jwk(key.key, key.algorithm) for key in keys]})

    def hear(self, notices: Sequence[Notice]) -> None:
        self.is_stale |= any(notice.kind is NoticeKind.KEYS_CHANGED for notice in notices)

    def signing(self, algorithm: Algorithm) -> RingKey:
        """The key that signs now. Raises LookupError when there is none."""
        now = self._clock.now()
        newest = None
        for key in self._keys.values():
            if key.algorithm == algorithm and key.signs_at <= now and (not newest or key.signs_at > newest.signs_at):
                newest = key
        if newest is None:
            raise LookupError(f"no signing key for {algorithm}")
        return newest

    def find(self, kid: object) -> RingKey | None:
        """The key of this name, to check a signature with."""
        return self._keys.get(kid) if isinstance(kid, str) else None

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def algorithms(self) -> list[Algorithm]:
        """The algorithms this server can sign with, for the metadata."""
        return [algorithm for algorithm in ALGORITHMS if any(k.algorithm == algorithm for k in self._keys.values())]

    def jwks(self) -> bytes:
        """The JWK Set as JSON (RFC 7517, 5)."""
        return self._jwks

    def _open(self, row: SigningKey) -> RingKey:
        key = import_private(self._vault.open(row.sealed_jwk, owner=row.kid.encode()))
        algorithm = cast("Algorithm", row.algorithm)
        return RingKey(row.kid, algorithm, key, Signer(key, algorithm), row.signs_at, row.expires_at)


def ensure_keys(unit: Unit, vault: Vault) -> None:
    """Makes the first key of each algorithm that has none; it signs at once, since nobody can hold an older JWKS."""
    lock_signing_keys(unit)
    have = {row.algorithm for row in list_signing_keys(unit)}
    for algorithm in ALGORITHMS:
        if algorithm not in have:
            _add(unit, vault, algorithm, signs_at=unit.now())


def open_keys(unit: Unit, vault: Vault) -> None:
    """Opens each shown key once. Raises SealBroken for one whose secret is not among those at hand."""
    for row in list_signing_keys(unit):
        vault.open(row.sealed_jwk, owner=row.kid.encode())


def rotate_keys(
    unit: Unit, vault: Vault, *, announce: timedelta, actor: str, older_than: timedelta | None = None
) -> list[SigningKey]:
    """Announces a successor for each algorithm (whose key is `older_than` that, if given); returns the new ones.

    An algorithm whose successor is already announced is left alone: rotating twice must not cut it short.
    """
    lock_signing_keys(unit)
    now = unit.now()
    rows = list_signing_keys(unit)
    added = []
    for algorithm in ALGORITHMS:
        mine = [row for row in rows if row.algorithm == algorithm]
        if not mine or any(row.signs_at > now for row in mine):
            continue
        if older_than is not None and max(row.signs_at for row in mine) > now - older_than:
            continue
        successor = _add(unit, vault, algorithm, signs_at=now + announce)
        for row in mine:
            if row.expires_at is None:
                row.expires_at = successor.signs_at + LONGEST_TOKEN + _MARGIN
                unit.session.add(row)
        add_audit_event(unit, "signing_key.announced", actor=actor, subject=successor.kid, algorithm=algorithm)
        added.append(successor)
    return added


def state_of(row: SigningKey, rows: Sequence[SigningKey], now: datetime) -> str:
    """`announced`, `signing` or `retired`, for people."""
    if row.signs_at > now:
        return "announced"
    ready = [other for other in rows if other.algorithm == row.algorithm and other.signs_at <= now]
    return "signing" if row.kid == max(ready, key=lambda other: other.signs_at).kid else "retired"


def _add(unit: Unit, vault: Vault, algorithm: Algorithm, *, signs_at: datetime) -> SigningKey:
    key = generate_key(algorithm)
    kid = key.thumbprint()
    row = SigningKey(
        id=unit.new_id(),
        kid=kid,
        algorithm=algorithm,
        sealed_jwk=vault.seal(export_private(key), owner=kid.encode()),
        created_at=unit.now(),
        signs_at=signs_at,
    )
    add_signing_key(unit, row)
    return row
