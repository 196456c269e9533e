"""A JWT that names neither issuer, person nor store: `aud jti iat nbf exp sub scopes` and nothing else (RFC 7519).

Some clients expect this shape. Its `sub` is the client, whose row says for whom and where it acts. The claims are
taken only when they are these to the letter, so nothing else that is signed here, an ID token above all, can pass
for one (RFC 8725, 3.11): that always has an issuer, which this never has.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from authsrv.kit.identifiers import is_uuid7, parse_uuid

BARE_JWT = "bare_jwt"
BARE_TYPE = "JWT"
_Seconds = Annotated[int, Field(ge=0, lt=100_000_000_000)]


class BareClaims(BaseModel):
    """All claims there are; `aud` is empty where the token is for the whole server."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    aud: str | list[str]
    jti: str
    iat: _Seconds
    nbf: _Seconds
    exp: _Seconds
    sub: str
    scopes: list[str]

    @property
    def audience(self) -> tuple[str, ...]:
        if isinstance(self.aud, str):
            return (self.aud,) if self.aud else ()
        return tuple(self.aud)

    @property
    def identifier(self) -> UUID | None:
        """The `jti`, where it carries its time."""
        jti = parse_uuid(self.jti)
        return jti if jti is not None and is_uuid7(jti) else None


def read_bare(claims: Mapping[str, Any]) -> BareClaims | None:
    """The claims, if they are these and in order; the signature has been checked."""
    try:
        read = BareClaims.model_validate(claims)
    except ValidationError:
        return None
    return read if read.identifier is not None else None


def spell_bare(
    *, jti: UUID, client_id: str, scope: str, audience: tuple[str, ...], issued_at: int, expires_at: int
) -> dict[str, Any]:
    """The claims in the order of their document; times are whole seconds since the epoch."""
    return {
        "aud": "" if not audience else audience[0] if len(audience) == 1 else list(audience),
        "jti": str(jti),
        "iat": issued_at,
        "nbf": issued_at,
        "exp": expires_at,
        "sub": client_id,
        "scopes": scope.split(),
    }
