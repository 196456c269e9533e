"""A token that a client asks about or hands back: an access token, or the refresh token of a grant."""

from dataclasses import dataclass
from datetime import timedelta

from authsrv.identity.subjects import subject_for
from authsrv.kit.handles import Handle
from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.issuing import Issuing
from authsrv.settings import TokenSettings
from authsrv.storage.refreshing import LiveGrant, find_grant
from authsrv.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """A refresh token of this client's grant, and whether it would still be taken."""

    grant: LiveGrant
    is_live: bool
    client_id: str
    subject: str


def find_refresh_token(
    unit: Unit, issuing: Issuing, client: RegisteredClient, text: str, lifetimes: TokenSettings
) -> PresentedRefreshToken | None:
    """The refresh token, if it is sealed by us and of this client's grant; a forged one costs no statement."""
    handle = issuing.read_refresh_token(text)
    grant = find_grant(unit, handle.row_id, client.row_id) if handle else None
    if handle is None or grant is None:
        return None
    subject = subject_for(grant.user_id, grant.subject_salt, client.sector)
    return PresentedRefreshToken(grant, _is_live(unit, handle, grant, client, lifetimes), client.client_id, subject)


def _is_live(unit: Unit, handle: Handle, grant: LiveGrant, client: RegisteredClient, lifetimes: TokenSettings) -> bool:
    now = unit.now()
    idle = timedelta(seconds=client.refresh_idle_seconds or lifetimes.refresh_idle_seconds)
    is_alive = grant.is_refreshable and grant.revoked_at is None and grant.expires_at > now
    if handle.counter > grant.generation or grant.redeemed_at is None:
        return is_alive  # the database lost its last commits, so the row cannot say when it was used
    last_used = grant.refreshed_at or grant.redeemed_at
    return is_alive and handle.counter == grant.generation and last_used > now - idle
