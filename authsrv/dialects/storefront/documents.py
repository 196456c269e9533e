"""JSON:API documents: resources that know of each other, and as much of them as a query asks for (JSON:API 1.1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from starlette.requests import Request

from authsrv.kit.errors import DomainError

_MOST_PATHS = 50


@dataclass(frozen=True, slots=True)
class Name:
    """A resource that is only spoken of."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource with all there is to say of it."""

    type: str
    id: str
    attributes: Mapping[str, Any]
    relations: Mapping[str, "Related"] = field(default_factory=dict)


One: TypeAlias = Resource | Name
Related: TypeAlias = One | Sequence[One] | None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What of it is wanted: `include` paths, and of some types only these `fields`."""

    paths: tuple[tuple[str, ...], ...] = ()
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def asks(self, relation: str) -> bool:
        """Whether a path begins with this relation."""
        return any(path[0] == relation for path in self.paths)


async def wishes_of(request: Request) -> Wishes:
    """The wishes: `?include=line_items,variants.product&fields[cart]=total,currency`.

    Clients that send a body put them there, as `{"include": "…", "fields": {"cart": "…"}}`.
    """
    asked = dict(request.query_params) | await _in_body(request)
    paths = [path for path in asked.get("include", "").split(",") if path.strip()]
    if len(paths) > _MOST_PATHS:
        raise DomainError("invalid_parameter", 400, f"include must not have more than {_MOST_PATHS} paths.")
    fields = {
        name[7:-1]: frozenset(text.split(","))
        for name, text in asked.items()
        if name.startswith("fields[") and name.endswith("]")
    }
    return Wishes(tuple(tuple(path.strip().split(".")) for path in paths), fields)


async def _in_body(request: Request) -> dict[str, str]:
    """The same, as the query would have it; whether the body is in order, its own door judges."""
    if request.method not in {"POST", "PATCH"}:
        return {}
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    found: dict[str, Any] = {}
    if isinstance(body, dict):
        fields = body.get("fields")
        named = fields.items() if isinstance(fields, dict) else ()
        found = {"include": body.get("include"), **{f"fields[{name}]": text for name, text in named}}
    return {name: text for name, text in found.items() if isinstance(text, str)}


def document(primary: Resource | Sequence[Resource], wishes: Wishes, **more: Any) -> dict[str, Any]:
    """The whole answer. Raises `invalid_parameter` for a path that leads nowhere (JSON:API 1.1, 7.5)."""
    many = primary if isinstance(primary, Sequence) else [primary]
    seen = {(one.type, one.id) for one in many}
    included = []
    for path in wishes.paths:
        for one in many:
            for found in _walk(one, path):
                if (found.type, found.id) not in seen:
                    seen.add((found.type, found.id))
                    included.append(_spell(found, wishes))
    spelled = [_spell(one, wishes) for one in many]
    body: dict[str, Any] = {"data": spelled if isinstance(primary, Sequence) else spelled[0]}
    if wishes.paths:
        body["included"] = included
    return {**body, **more}


def _walk(start: Resource, path: Sequence[str]) -> Iterator[Resource]:
    """Every resource on the way, the last included: a full linkage has no gaps (JSON:API 1.1, 5.5.1)."""
    if path[0] not in start.relations:
        raise DomainError("invalid_parameter", 400, f"include: {start.type} has no {path[0][:60]}.")
    for one in _all_of(start.relations[path[0]]):
        if isinstance(one, Resource):
            yield one
            if len(path) > 1:
                yield from _walk(one, path[1:])


def _spell(one: Resource, wishes: Wishes) -> dict[str, Any]:
    wanted = wishes.fields.get(one.type)
    spelled: dict[str, Any] = {"id": one.id, "type": one.type}
    spelled["attributes"] = {name: value for name, value in one.attributes.items() if wanted is None or name in wanted}
    related = {
        name: {"data": _linkage(value)} for name, value in one.relations.items() if wanted is None or name in wanted
    }
    return {**spelled, "relationships": related} if related else spelled


def _linkage(related: Related) -> Any:
    if related is None:
        return None
    names = [{"id": one.id, "type": one.type} for one in _all_of(related)]
    return names if isinstance(related, Sequence) else names[0]


def _all_of(related: Related) -> Sequence[One]:
    if related is None:
        return ()
    return related if isinstance(related, Sequence) else (related,)
