"""The catalogue of scopes and the arithmetic on them (RFC 6749, 3.3)."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope: the sentence people read, and who may have it."""

    name: str
    sentence: str
    for_people: bool = False
    for_services: bool = False
    default_for: tuple[str, ...] = ()
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class ScopeCatalogue:
    """All scopes, in the order in which people read them."""

    scopes: tuple[Scope, ...]
    by_name: dict[str, Scope] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {scope.name: scope for scope in self.scopes})

    @classmethod
    def read(cls, path: Path) -> "ScopeCatalogue":
        """The catalogue of a `scopes.toml`."""
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(Scope(name, **_tuples(entry)) for name, entry in entries.items()))

    @property
    def names(self) -> list[str]:
        return [scope.name for scope in self.scopes]

    @property
    def resources(self) -> list[str]:
        """The paths below the issuer that have resource metadata of their own."""
        return list(dict.fromkeys(scope.resource for scope in self.scopes if scope.resource))

    def of_resource(self, path: str) -> list[str]:
        return [scope.name for scope in self.scopes if scope.resource == path]

    def defaults(self, client_type: str) -> str:
        """What a client of this type gets when it is created without a list."""
        return " ".join(scope.name for scope in self.scopes if client_type in scope.default_for)

    def unknown(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name not in self.by_name]

    def for_people(self, names: Iterable[str]) -> list[str]:
        """Those an app may ask a person for."""
        return [name for name in names if (scope := self.by_name.get(name)) and scope.for_people]

    def for_services(self, names: Iterable[str]) -> list[str]:
        """Those a service may have for itself; the rest speak of a person."""
        return [name for name in names if (scope := self.by_name.get(name)) and scope.for_services]


def split_scope(scope: str | None) -> list[str]:
    """The scopes of a scope string, each once, in their order; spaces alone part them."""
    return list(dict.fromkeys(name for name in (scope or "").split(" ") if name))


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
