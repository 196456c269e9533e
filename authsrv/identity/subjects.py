"""The names under which a client knows a person and a session (OIDC Core 8; Back-Channel Logout 1.0, 2.1).

A person's is one for all clients, or another for each sector; a session's is another for each client or sector.
Names that differ are hashes over the sector, the person or session, and a salt of the person's own: no two sectors can
compare theirs, and no secret's rotation changes them. Since a pairwise one cannot be turned back, a token with it
carries the person sealed.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from authsrv.kit.vault import SealBroken, Vault

_OWNER = b"access token"


def subject_for(user_id: UUID, salt: str | None, sector: str | None) -> str:
    """`sub` for this person: their id, or their name in the sector."""
    if sector is None:
        return str(user_id)
    return _hashed(b"authsrv pairwise", sector.encode(), user_id.bytes, (salt or "").encode())


def session_name_for(session_id: UUID, salt: str | None, sector: str) -> str:
    """`sid` for this session, in ID tokens and logout tokens alike; `sector` is a pairwise client's, else its id."""
    return _hashed(b"authsrv session", sector.encode(), session_id.bytes, (salt or "").encode())


def seal_person(vault: Vault, user_id: str) -> str:
    """The person as only this server can read it; another text each time, so that two tokens cannot be compared."""
    return urlsafe_b64encode(vault.seal(user_id.encode(), _OWNER)).rstrip(b"=").decode("ascii")


def open_person(vault: Vault, text: str) -> str | None:
    """Whom `seal_person` sealed, or None."""
    try:
        return vault.open(urlsafe_b64decode(text + "=" * (-len(text) % 4)), _OWNER).decode()
    except (ValueError, SealBroken):
        return None


def _hashed(*parts: bytes) -> str:
    digest = sha256(b"".join(len(part).to_bytes(2, "big") + part for part in parts)).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
