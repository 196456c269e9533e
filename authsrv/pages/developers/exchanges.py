"""A request and its answer as people read them, and tokens with what they say (RFC 7515, 7519)."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

_TOKENS = ("access_token", "id_token")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A token: its header and claims, empty where it is none of those that can be read."""

    name: str
    header: str
    claims: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """`key` names its words; `parameters` are what was sent, `status` and `answer` what came back."""

    key: str
    method: str
    url: str
    parameters: Sequence[tuple[str, str]]
    status: int | None = None
    answer: str = ""
    tokens: list[Decoded] = field(default_factory=list)


def pretty(document: Any) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def decoded_tokens(body: Mapping[str, Any]) -> list[Decoded]:
    """The JWTs of a token answer; an opaque token says nothing."""
    found = []
    for name in _TOKENS:
        parts = str(body.get(name, "")).split(".")
        if len(parts) == 3:
            found.append(Decoded(name, _read(parts[0]), _read(parts[1])))
    return found


def _read(part: str) -> str:
    return pretty(orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))))
