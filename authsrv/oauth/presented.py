"""The refresh token of a grant, as a client asks about it."""

from dataclasses import dataclass
from datetime import timedelta

from authsrv.identity.subjects import subject_for
from authsrv.kit.handles import Handle
from authsrv.oauth.clients import ClientDirectory, RegisteredClient
from authsrv.oauth.issuing import Issuing
from authsrv.settings import TokenSettings
from authsrv.storage.clients import find_client_by_row
from authsrv.storage.refreshing import LiveGrant, find_anybodys_grant, find_grant
from authsrv.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """A refresh token of a grant, and whether it would still be taken from its client."""

    grant: LiveGrant
    is_live: bool
    client_id: str
    subject: str


def find_refresh_token(
    unit: Unit,
    asking: RegisteredClient,
    text: str,
    *,
    issuing: Issuing,
    clients: ClientDirectory,
    lifetimes: TokenSettings,
) -> PresentedRefreshToken | None:
    """The refresh token, if it is sealed by us and of the asking client's grant; a forged one costs no statement.

    A resource server is told of everybody's.
    """
    handle = issuing.read_refresh_token(text)
    if handle is None:
        return None
    if asking.is_resource_server:
        grant = find_anybodys_grant(unit, handle.row_id)
        client = _client_of(unit, clients, grant) if grant else None
    else:
        grant, client = find_grant(unit, handle.row_id, asking.row_id), asking
    if grant is None or client is None:
        return None
    subject = subject_for(grant.user_id, grant.subject_salt, client.sector)
    return PresentedRefreshToken(grant, _is_live(unit, handle, grant, client, lifetimes), client.client_id, subject)


def _client_of(unit: Unit, clients: ClientDirectory, grant: LiveGrant) -> RegisteredClient | None:
    row = find_client_by_row(unit, grant.client_id)
    return clients.find(unit, row.client_id) if row else None


def _is_live(unit: Unit, handle: Handle, grant: LiveGrant, client: RegisteredClient, lifetimes: TokenSettings) -> bool:
    now = unit.now()
    idle = timedelta(seconds=client.refresh_idle_seconds or lifetimes.refresh_idle_seconds)
    is_alive = grant.is_refreshable and grant.revoked_at is None and grant.expires_at > now and not client.is_suspended
    if handle.counter > grant.generation or grant.redeemed_at is None:
        return is_alive  # the database lost its last commits, so the row cannot say when it was used
    last_used = grant.refreshed_at or grant.redeemed_at
    return is_alive and handle.counter == grant.generation and last_used > now - idle
