"""Who works in a store: asked in by an owner's mail, raised by accepting it, and sent away; an owner always stays."""

from uuid import UUID

from authsrv.identity.invitations import invite
from authsrv.kit.errors import DomainError
from authsrv.kit.handles import HandleSealer
from authsrv.storage.audit import add_audit_event
from authsrv.storage.invitations import (
    INTO_STORE,
    Invitation,
    accept_invitation,
    revoke_invitation,
    revoke_invitations_by,
    revoke_invitations_to,
)
from authsrv.storage.store_people import end_staff, list_staff, lock_store, make_staff
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import OWNER, STAFF, User, join_store

ROLES = (STAFF, OWNER)


class LastOwner(DomainError):
    """Somebody must own the store."""

    def __init__(self) -> None:
        super().__init__("last_owner", 409, "The store needs another owner first.")


def invite_staff(
    unit: Unit, sealer: HandleSealer, store: Store, *, email: str, role: str, invited_by: UUID, actor: str
) -> str:
    """The text of a link, to be mailed after the commit. Raises `works_already` and `too_many_invitations`."""
    lock_store(unit, store.id)
    known = next((one for one in list_staff(unit, store.id) if one.email == email), None)
    if known is not None and known.role in {OWNER, role}:
        raise DomainError("works_already", 409, "This person works in the store already.")
    _, link = invite(unit, sealer, kind=INTO_STORE, target_id=store.id, email=email, role=role, invited_by=invited_by)
    add_audit_event(unit, "staff.invited", actor=actor, subject=store.prefix, email=email, role=role)
    return link


def take_back(unit: Unit, store: Store, invitation_id: UUID, *, actor: str) -> bool:
    """Voids an open invitation to work in the store; False when there is none."""
    if not revoke_invitation(unit, INTO_STORE, store.id, invitation_id):
        return False
    add_audit_event(unit, "staff.invitation_revoked", actor=actor, subject=store.prefix)
    return True


def join_staff(unit: Unit, invitation: Invitation, store: Store, user: User) -> bool:
    """Takes the invitation, once, for the person of its address; False when it is not theirs, or over."""
    if not accept_invitation(unit, invitation.id, user.email):
        return False
    add_staff(unit, store, user, role=invitation.role, actor=user.email)
    return True


def add_staff(unit: Unit, store: Store, user: User, *, role: str, actor: str) -> bool:
    """Raises somebody to `staff` or `owner`; False for who has that role, or a higher one, already."""
    lock_store(unit, store.id)
    join_store(unit, store_id=store.id, user_id=user.id)
    if not make_staff(unit, store_id=store.id, user_id=user.id, role=role):
        return False
    add_audit_event(unit, "staff.joined", actor=actor, subject=store.prefix, email=user.email, role=role)
    return True


def remove_staff(unit: Unit, store: Store, user_id: UUID, *, actor: str) -> str:
    """Makes somebody a customer again, or lets them leave; returns their address.

    Raises LastOwner, and not_found for who does not work there.
    """
    lock_store(unit, store.id)
    person = next((one for one in list_staff(unit, store.id) if one.user_id == user_id), None)
    if person is None:
        raise DomainError("not_found", 404, "This person does not work in the store.")
    if not end_staff(unit, store_id=store.id, user_id=user_id):
        raise LastOwner
    # Or they would be back by a friend's hand, or by an invitation of their own.
    revoke_invitations_by(unit, INTO_STORE, store.id, user_id)
    revoke_invitations_to(unit, INTO_STORE, store.id, person.email)
    add_audit_event(unit, "staff.removed", actor=actor, subject=store.prefix, email=person.email, role=person.role)
    return person.email
