"""The team that runs a client: invited by mail, with a role; somebody is always its admin."""

from dataclasses import dataclass
from uuid import UUID

from authsrv.identity.invitations import invite
from authsrv.kit.errors import DomainError
from authsrv.kit.handles import HandleSealer
from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_members import ADMIN, change_role, find_role, list_members, remove_member
from authsrv.storage.clients import Client, lock_client, save_client
from authsrv.storage.invitations import INTO_APP, revoke_invitation, revoke_invitations_by, revoke_invitations_to
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """`link` is the sealed text that the mail's link ends in."""

    email: str
    link: str


class LastAdmin(DomainError):
    """Somebody must run the app."""

    def __init__(self) -> None:
        super().__init__("last_admin", 409, "The app needs another admin first.")


def invite_member(
    unit: Unit, sealer: HandleSealer, client: Client, *, email: str, role: str, invited_by: UUID, actor: str
) -> NewInvitation:
    """An invitation, to be mailed after the commit. Raises `member_already` and `too_many_invitations`."""
    known = find_user(unit, email)
    if known is not None and find_role(unit, client.id, known.id) is not None:
        raise DomainError("member_already", 409, "This person is in the team already.")
    lock_client(unit, client)
    _, link = invite(unit, sealer, kind=INTO_APP, target_id=client.id, email=email, role=role, invited_by=invited_by)
    add_audit_event(unit, "member.invited", actor=actor, subject=client.client_id, email=email, role=role)
    return NewInvitation(email, link)


def take_back(unit: Unit, client: Client, invitation_id: UUID, *, actor: str) -> bool:
    """Voids an open invitation into the team; False when there is none."""
    if not revoke_invitation(unit, INTO_APP, client.id, invitation_id):
        return False
    add_audit_event(unit, "member.invitation_revoked", actor=actor, subject=client.client_id)
    return True


def change_member(unit: Unit, client: Client, user_id: UUID, *, role: str, actor: str) -> None:
    """Raises LastAdmin, and not_found for who is not in the team."""
    email = _email_of(unit, client, user_id)
    # Two admins who demote each other at once must see each other.
    lock_client(unit, client)
    if not change_role(unit, client.id, user_id, role):
        raise LastAdmin
    if role != ADMIN:
        revoke_invitations_by(unit, INTO_APP, client.id, user_id)
    add_audit_event(unit, "member.role_changed", actor=actor, subject=client.client_id, email=email, role=role)


def remove_from_team(unit: Unit, client: Client, user_id: UUID, *, actor: str) -> None:
    """The same for leaving."""
    email = _email_of(unit, client, user_id)
    lock_client(unit, client)
    if not remove_member(unit, client.id, user_id):
        raise LastAdmin
    # Or they would be back by a friend's hand, or by an invitation of their own.
    revoke_invitations_by(unit, INTO_APP, client.id, user_id)
    revoke_invitations_to(unit, INTO_APP, client.id, email)
    if client.developer_id == user_id:
        # Consent pages say who makes the app: not somebody who has left.
        client.developer_id = next(one.user_id for one in list_members(unit, client.id) if one.role == ADMIN)
        save_client(unit, client)
    add_audit_event(unit, "member.removed", actor=actor, subject=client.client_id, email=email)


def _email_of(unit: Unit, client: Client, user_id: UUID) -> str:
    email = next((member.email for member in list_members(unit, client.id) if member.user_id == user_id), None)
    if email is None:
        raise DomainError("not_found", 404, "This person is not in the team.")
    return email
