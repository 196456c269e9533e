"""The Idempotency-Key header: who repeats a request gets its first answer again, for 24 hours (IETF httpapi draft)."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from starlette.requests import Request

from authsrv.identity.principals import Principal
from authsrv.kit.errors import DomainError
from authsrv.storage.idempotency import keep_answer, take_idempotency_key
from authsrv.storage.unit import Unit

_KEPT = timedelta(hours=24)
_LONGEST = 255
# Printable ASCII; what spaces stand around it, HTTP drops.
KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"


@dataclass(frozen=True, slots=True)
class RepeatKey:
    """A key, whose it is, and what was asked with it."""

    owner: str
    key_digest: str
    request_digest: str


def read_key(request: Request, principal: Principal, body: bytes) -> RepeatKey | None:
    """The request's key, if it has one. Raises `invalid_parameter` for one that cannot be."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if len(key) > _LONGEST or not re.fullmatch(KEY_PATTERN, key):
        raise DomainError("invalid_parameter", 400, f"Idempotency-Key must have 1 to {_LONGEST} ASCII characters.")
    owner = f"{principal.store}/{principal.client_id}/{principal.user_id or ''}"
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    asked = b"\0".join((request.method.encode(), path.encode(), body))
    # Keyed by what is not stored: a plain digest of a body would tell a card number in it to whoever tries them all.
    digest = hmac.digest(key.encode(), asked, sha256).hex()
    return RepeatKey(owner, sha256(key.encode()).hexdigest(), digest)


def once(unit: Unit, key: RepeatKey, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` answers, or what it answered when the key was first used.

    Raises `idempotency_conflict` (422) for the same key with another request. A refusal is not remembered: it is undone
    with its transaction, so a corrected request may use the key.
    """
    row = take_idempotency_key(unit, key.owner, key.key_digest, key.request_digest, unit.now() + _KEPT)
    if row.request_digest != key.request_digest:
        raise DomainError("idempotency_conflict", 422, "This Idempotency-Key was used with another request.")
    if row.answer is not None:
        return row.answer
    answer = work()
    keep_answer(unit, row.id, answer)
    return answer
