"""Any credential → Principal: who calls, for whom, in which store, with which scopes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from authsrv.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. `user_id` is set where a person stands behind the credential; `store` is a prefix."""

    client_id: str
    user_id: str | None
    store: str | None
    scopes: frozenset[str]
    audiences: frozenset[str]
    grant_id: str | None = None

    @property
    def is_service(self) -> bool:
        """Whether it acts for itself, on nobody's word."""
        return self.user_id is None and self.grant_id is None


@dataclass(frozen=True, slots=True)
class LookUp:
    """A credential that may be good, which only the database can tell: `find` asks it."""

    find: Callable[[Unit], Principal | None]


# A reader knows one kind of credential: None for what is not, or no longer, one of its kind.
Reader: TypeAlias = Callable[[str], Principal | LookUp | None]


class Principals:
    """Where every bearer credential is read, whatever its kind."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = tuple(readers)

    def find(self, credential: str) -> Principal | LookUp | None:
        """Whose credential this is, None when it is forged, expired or taken back, a LookUp when memory cannot tell."""
        for read in self._readers:
            if (found := read(credential)) is not None:
                return found
        return None
