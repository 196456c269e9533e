"""Invitations by mail: a sealed link that works once, for a week, and only for who signs in with that address.

The link alone opens nothing, so one that is forwarded or ends in a log is worth nothing to whoever finds it.
"""

from datetime import timedelta
from uuid import UUID

from authsrv.kit.errors import TooOften
from authsrv.kit.handles import Handle, HandleSealer, Purpose
from authsrv.storage.invitations import (
    Invitation,
    accept_invitation,
    add_invitation,
    find_invited_at,
    find_open_invitation,
    revoke_invitations_to,
)
from authsrv.storage.unit import Unit

INVITATION = Purpose(11, "iv_")
INVITATION_LASTS = timedelta(days=7)
_DAY = timedelta(days=1)
# Mails within a day: of one app or store, of one person in whatever they made, and to one address.
_MOST_OF_A_PLACE = 40
_MOST_OF_A_PERSON = 60
_MOST_TO_ONE = 4


class TooManyInvitations(TooOften):
    """Of this place, by this person or to this address none is sent before `wait_seconds` are over."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait, "Too many invitations were sent. Try again tomorrow.", code="too_many_invitations")


def invite(
    unit: Unit, sealer: HandleSealer, *, kind: str, target_id: UUID, email: str, role: str, invited_by: UUID
) -> tuple[Invitation, str]:
    """A fresh invitation in place of any open one to this address, and the text of its link.

    Raises TooManyInvitations.
    """
    now = unit.now()
    since = now - _DAY
    # Where there were so many within the day, the next may go once the first of them is a day old.
    full_since = (
        find_invited_at(unit, since, _MOST_OF_A_PLACE, target_id=target_id),
        find_invited_at(unit, since, _MOST_OF_A_PERSON, invited_by=invited_by),
        find_invited_at(unit, since, _MOST_TO_ONE, email=email),
    )
    if full := [first_at for first_at in full_since if first_at is not None]:
        raise TooManyInvitations(max(full) - since)
    revoke_invitations_to(unit, kind, target_id, email)
    invitation = Invitation(
        id=unit.new_id(),
        kind=kind,
        target_id=target_id,
        email=email,
        role=role,
        invited_by=invited_by,
        created_at=now,
        expires_at=now + INVITATION_LASTS,
    )
    add_invitation(unit, invitation)
    return invitation, sealer.seal(INVITATION, Handle(invitation.id, 0))


def find_invitation(unit: Unit, sealer: HandleSealer, text: str, kind: str) -> Invitation | None:
    """The open invitation of this kind that a link speaks of; no statement for a forged one."""
    handle = sealer.open(INVITATION, text)
    found = find_open_invitation(unit, handle.row_id) if handle else None
    return found if found is not None and found.kind == kind else None


def take_invitation(unit: Unit, invitation: Invitation, email: str) -> bool:
    """Uses it up for the person of this address; False when it is not theirs, or somebody was quicker."""
    return accept_invitation(unit, invitation.id, email)
