"""What the commands on open invitations share: how they are shown, and finding the one to an address."""

from typing import Any

from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError
from authsrv.storage.clients import Client
from authsrv.storage.invitations import INTO_APP, INTO_STORE, Invitation, list_open_invitations
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id

COLUMNS = ("email", "role", "invited_by", "created_at", "expires_at")


def described_invitations(unit: Unit, place: Client | Store) -> list[dict[str, Any]]:
    """The open invitations into an app's team or a store, oldest first."""
    rows = []
    for one in _list_open(unit, place):
        host = find_user_by_id(unit, one.invited_by)
        rows.append(
            {
                "email": one.email,
                "role": one.role,
                "invited_by": host.email if host else None,
                "created_at": one.created_at.isoformat(),
                "expires_at": one.expires_at.isoformat(),
            }
        )
    return rows


def get_invitation(unit: Unit, place: Client | Store, email: str) -> Invitation:
    """The open one to this address; there is one at most. Raises not_found."""
    address = normal_email(email)
    found = next((one for one in _list_open(unit, place) if one.email == address), None)
    if found is None:
        raise no_invitation(place, address)
    return found


def no_invitation(place: Client | Store, email: str) -> DomainError:
    name = place.client_id if isinstance(place, Client) else place.prefix
    return DomainError("not_found", 404, f"{email} has no open invitation to {name}.")


def _list_open(unit: Unit, place: Client | Store) -> list[Invitation]:
    return list_open_invitations(unit, INTO_APP if isinstance(place, Client) else INTO_STORE, place.id)
