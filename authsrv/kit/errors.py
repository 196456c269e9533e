"""Refusals as values: raised where they are judged, worded where they leave the house."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil


class DomainError(Exception):
    """A request that cannot be granted.

    `code` is a machine's word for it, `status` the HTTP status, `description` helps the caller; `reason` is for the log
    alone. `keeps_writes` commits what the transaction recorded before it refused (attempts, reuse).
    """

    keeps_writes = False

    def __init__(
        self,
        code: str,
        status: int,
        description: str,
        *,
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.status = status
        self.description = description
        self.headers = dict(headers or {})
        self.reason = reason


class CredentialMissing(DomainError):
    """Nobody said who calls; where the standard is spoken, the body says nothing of it either (RFC 6750, 3.1)."""

    def __init__(self, description: str, headers: Mapping[str, str]) -> None:
        super().__init__("unauthorized", 401, description, headers=headers)


class TooOften(DomainError):
    """429: what was asked for may be asked for again in `wait_seconds`, at least one (RFC 6585, 4)."""

    def __init__(self, wait: timedelta, description: str, *, code: str = "rate_limited") -> None:
        # Never 0: whoever comes back at once would only be refused again.
        self.wait_seconds = max(1, ceil(wait.total_seconds()))
        super().__init__(code, 429, description, headers={"Retry-After": str(self.wait_seconds)})


class Unavailable(DomainError):
    """Something this answer depends on is away; the caller may try again (RFC 9110, 15.6.4)."""

    def __init__(self, reason: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(
            "unavailable",
            503,
            "The service cannot answer right now. Try again shortly.",
            headers={"Retry-After": str(retry_after_seconds)},
            reason=reason,
        )
