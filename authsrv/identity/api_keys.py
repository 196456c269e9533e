"""API keys: made by a developer for a store, shown once, known by their SHA-256, and from memory kept true by the feed.

A key is `ak_`, 16 characters of id, `_`, 43 of secret and 6 of checksum: one text of letters, digits, `-` and `_`.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from authsrv.identity.principals import LookUp, Principal
from authsrv.kit.cache import LookupCache
from authsrv.kit.clock import Clock
from authsrv.kit.entropy import Entropy
from authsrv.kit.errors import DomainError
from authsrv.kit.machine_secrets import digest_of, is_well_formed, make_secret, matches_any
from authsrv.storage.api_keys import ApiKey, add_api_key, find_api_key, find_key_row, revoke_api_key
from authsrv.storage.audit import add_audit_event
from authsrv.storage.clients import Client, find_client_by_row
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Notice, NoticeKind, Unit
from authsrv.storage.users import add_user, find_user

KEY_PREFIX = "ak_"
_SHAPE = re.compile(r"(ak_[A-Za-z0-9_-]{16})_[A-Za-z0-9_-]{49}")
# The last use is told to within this time, so that a busy key costs no writes.
_NOTED_EVERY_SECONDS = 300.0
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """What is wanted of a key; it never expires where `expires_seconds` is None."""

    name: str
    developer: str
    store: str
    scope: str
    expires_seconds: int | None = None
    # The app it is made for, and the id its row is to have.
    app: Client | None = None
    row_id: UUID | None = None


def create_api_key(
    unit: Unit, new: NewApiKey, *, allowed_scopes: Sequence[str], entropy: Entropy, actor: str
) -> tuple[ApiKey, str]:
    """Stores a key, with its developer if they are new; returns it and its text, which is never to be had again.

    Raises `invalid_request` naming the field that cannot be.
    """
    scopes = _judge(new, allowed_scopes)
    store = find_store(unit, new.store)
    if store is None:
        raise _refused("store", f"there is no store {new.store}")
    developer = find_user(unit, new.developer) or add_user(unit, email=new.developer)
    key_id = KEY_PREFIX + urlsafe_b64encode(entropy.token_bytes(12)).decode("ascii")
    text = make_secret(f"{key_id}_", entropy)
    now = unit.now()
    key = ApiKey(
        id=new.row_id or unit.new_id(),
        key_id=key_id,
        name=new.name,
        developer_id=developer.id,
        store_id=store.id,
        client_id=new.app.id if new.app else None,
        scope=" ".join(scopes),
        digest=digest_of(text),
        last_four=text[-4:],
        created_at=now,
        expires_at=now + timedelta(seconds=new.expires_seconds) if new.expires_seconds is not None else None,
    )
    add_api_key(unit, key)
    _record(unit, "api_key.created", key, new.app, actor, store=store.prefix, scope=key.scope)
    return key, text


def end_api_key(unit: Unit, key_id: str, *, actor: str) -> ApiKey:
    """Revokes a key, everywhere within a second, and returns it. Raises not_found when there is none that lives."""
    key = find_key_row(unit, key_id)
    if key is None or not revoke_api_key(unit, key_id):
        raise DomainError("not_found", 404, f"There is no living API key {key_id}.")
    app = find_client_by_row(unit, key.client_id) if key.client_id else None
    _record(unit, "api_key.revoked", key, app, actor)
    return key


def _record(unit: Unit, event: str, key: ApiKey, app: Client | None, actor: str, **details: str) -> None:
    """What happens to an app's key stands in the log of the app."""
    if app is None:
        add_audit_event(unit, event, actor=actor, subject=key.key_id, **details)
    else:
        add_audit_event(unit, event, actor=actor, subject=app.client_id, key=key.key_id, name=key.name, **details)


def status_of(key: ApiKey, now: datetime) -> str:
    """`revoked`, `expired` or `active`."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"


@dataclass(frozen=True, slots=True)
class _KnownKey:
    """A key that was not revoked, and whom it speaks for."""

    digest: bytes
    expires_at: datetime | None
    principal: Principal


class ApiKeys:
    """Reads keys; a warm process asks the database nothing."""

    def __init__(self, issuer: str, clock: Clock) -> None:
        self._audiences = frozenset({issuer})
        self._clock = clock
        self._cache: LookupCache[_KnownKey] = LookupCache()
        self._noted_at: dict[str, float] = {}
        self._uses: dict[str, datetime] = {}

    def read(self, text: str) -> Principal | LookUp | None:
        """The key's bearer; a LookUp for a well-formed key that this process does not know."""
        shape = _SHAPE.fullmatch(text)
        if shape is None or not is_well_formed(KEY_PREFIX, text):
            return None
        key_id = shape[1]
        if self._cache.knows(key_id):
            return self._judge(text, self._cache.recall(key_id))
        return LookUp(lambda unit: self._judge(text, self._cache.get(key_id, lambda _: self._load(unit, key_id))))

    def hear(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.kind is NoticeKind.API_KEY_CHANGED:
                self._cache.forget(notice.subject)

    def clear(self) -> None:
        self._cache.clear()

    def take_uses(self) -> dict[str, datetime]:
        """The keys used since the last time this was asked, and when; each at most once in some minutes."""
        now = self._clock.monotonic()
        # What is no news any more: there would be as many as keys were ever used.
        self._noted_at = {key: at for key, at in self._noted_at.items() if now - at < _NOTED_EVERY_SECONDS}
        uses, self._uses = self._uses, {}
        return uses

    def _judge(self, text: str, key: _KnownKey | None) -> Principal | None:
        if key is None or not matches_any(text, (key.digest,)):
            return None
        if key.expires_at is not None and key.expires_at <= self._clock.now():
            return None
        self._note_use(key.principal.client_id)
        return key.principal

    def _note_use(self, key_id: str) -> None:
        now = self._clock.monotonic()
        if now - self._noted_at.get(key_id, float("-inf")) >= _NOTED_EVERY_SECONDS:
            self._noted_at[key_id] = now
            self._uses[key_id] = self._clock.now()

    def _load(self, unit: Unit, key_id: str) -> _KnownKey | None:
        found = find_api_key(unit, key_id)
        if found is None or found[0].revoked_at is not None:
            return None
        row, store = found
        principal = Principal(
            client_id=row.key_id,
            user_id=None,
            store=store,
            scopes=frozenset(row.scope.split()),
            audiences=self._audiences,
        )
        return _KnownKey(row.digest, row.expires_at, principal)


def _judge(new: NewApiKey, allowed_scopes: Sequence[str]) -> list[str]:
    """The scopes. Raises `invalid_request` for the first thing that cannot be."""
    if not new.name.strip() or len(new.name) > _LONGEST_NAME or not new.name.isprintable():
        raise _refused("name", f"must have 1 to {_LONGEST_NAME} printable characters")
    scopes = list(dict.fromkeys(new.scope.split()))
    if not scopes:
        raise _refused("scope", "at least one is needed")
    for scope in scopes:
        if scope not in allowed_scopes:
            raise _refused("scope", f"a key cannot have {scope}; there are {', '.join(allowed_scopes)}")
    if new.expires_seconds is not None and not 1 <= new.expires_seconds <= 3_153_600_000:
        raise _refused("expires_in", "must be 1 second to 100 years")
    return scopes


def _refused(field: str, fault: str) -> DomainError:
    return DomainError("invalid_request", 400, f"{field}: {fault}")
