"""The stores as every request needs them: from memory, kept true by the feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from authsrv.kit.cache import LookupCache
from authsrv.storage.stores import Store, find_store
from authsrv.storage.unit import Notice, NoticeKind, Unit


@dataclass(frozen=True, slots=True)
class KnownStore:
    """A store's row id, prefix, name and currency (ISO 4217)."""

    id: UUID
    prefix: str
    name: str
    currency: str


def known_store(store: Store) -> KnownStore:
    return KnownStore(store.id, store.prefix, store.name, store.currency)


class StoreDirectory:
    """Looks stores up by prefix."""

    def __init__(self) -> None:
        self._cache: LookupCache[KnownStore] = LookupCache(found=10_000)

    def find(self, unit: Unit, prefix: str) -> KnownStore | None:
        def look_up(prefix: str) -> KnownStore | None:
            row = find_store(unit, prefix)
            return known_store(row) if row else None

        return self._cache.get(prefix, look_up)

    def hear(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.kind is NoticeKind.STORE_CHANGED:
                self._cache.forget(notice.subject)

    def clear(self) -> None:
        self._cache.clear()
