"""Refusals as values: raised where they are judged, worded where they leave the house."""

from collections.abc import Mapping


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
