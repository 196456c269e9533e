"""The refresh token of a grant, as a client asks about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from authsrv.identity.subjects import subject_for
from authsrv.kit.handles import Handle
from authsrv.oauth.clients import ClientDirectory, RegisteredClient
from authsrv.oauth.issuing import Issuing
from authsrv.settings import TokenSettings
from authsrv.storage.refreshing import LiveGrant, find_anybodys_grant, find_grant
from authsrv.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """A refresh token of a grant, and whether it is the one that its client may use now."""

    grant: LiveGrant
    is_live: bool
    # Unless it is used before: each use makes another.
    expires_at: datetime
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
        grant, client = _find_anybodys(unit, clients, handle)
    else:
        grant, client = find_grant(unit, handle.row_id, asking.row_id), asking
    if grant is None or client is None:
        return None
    subject = subject_for(grant.user_id, grant.subject_salt, client.sector)
    idle = timedelta(seconds=client.refresh_idle_seconds or lifetimes.refresh_idle_seconds)
    expires_at = _end_of(handle, grant, idle)
    is_live = expires_at > unit.now() and _is_current(handle, grant, client)
    return PresentedRefreshToken(grant, is_live, expires_at, client.client_id, subject)


def _find_anybodys(
    unit: Unit, clients: ClientDirectory, handle: Handle
) -> tuple[LiveGrant | None, RegisteredClient | None]:
    found = find_anybodys_grant(unit, handle.row_id)
    return (found[0], clients.find(unit, found[1])) if found else (None, None)


def _end_of(handle: Handle, grant: LiveGrant, idle: timedelta) -> datetime:
    if handle.counter > grant.generation or grant.redeemed_at is None:
        return grant.expires_at  # the database lost its last commits, so the row cannot say when it was used
    return min((grant.refreshed_at or grant.redeemed_at) + idle, grant.expires_at)


def _is_current(handle: Handle, grant: LiveGrant, client: RegisteredClient) -> bool:
    if not grant.is_refreshable or grant.revoked_at is not None:
        return False
    if client.is_suspended or not client.check_grant_type("refresh_token"):
        return False
    return handle.counter >= grant.generation or grant.redeemed_at is None
