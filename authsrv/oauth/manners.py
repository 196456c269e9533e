"""What another API's document may ask differently of the engine: data, so that the engine knows no dialect by name.

The defaults are the standard's.
"""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Manner:
    """How authorization is asked for and answered at one door."""

    # Without it only clients that authenticate may ask: their secret takes its place.
    needs_pkce: bool = True
    # The answer's parameter that names the store by its prefix, if it has one.
    store_parameter: str | None = None
    # RFC 9207: `iss` in the answer.
    names_issuer: bool = True
    # Whether a person's plain no comes with an error_description.
    explains_denial: bool = True
    # What the person must be in a store to connect it; empty: anything, or nothing.
    roles: tuple[str, ...] = ()
    # What its tokens are for where `resource` asks for nothing (RFC 8707); empty: the issuer.
    audience: tuple[str, ...] = ()
    # How long a code lives where the client has no time of its own.
    code_seconds: int | None = None
    # Whether `openid` alone, without `offline_access`, brings a refresh token too.
    always_refreshes: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What one door asks of a token request, and what it gives for it."""

    # The store that a grant must be of.
    store_id: UUID | None = None
    store: str | None = None
    needs_pkce: bool = True
    # The grants it takes, and how a client may authenticate; None: all there are.
    grant_types: frozenset[str] | None = None
    auth_methods: frozenset[str] | None = None
    # How long an access token lives where the client has no time of its own.
    access_seconds: int | None = None
    # The answer's field for the expiry in seconds since the epoch, if it has one.
    expiry_field: str | None = None
    with_id_token: bool = True

    def holds_in(self, store: str | None) -> bool:
        """Whether a grant of this store may be used here."""
        return self.store is None or self.store == store


STANDARD_MANNER = Manner()
STANDARD_TERMS = Terms()
