"""Approval: a developer asks, the operator decides once; an approved app's new name or URIs are asked for alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from authsrv.kit.errors import DomainError
from authsrv.oauth.registration import approve_client
from authsrv.storage.approvals import (
    APP,
    APPROVED,
    CHANGE,
    OPEN,
    REFUSED,
    WITHDRAWN,
    ApprovalRequest,
    add_approval_request,
    close_approval_request,
    find_approval_request,
    find_open_request,
    list_approval_requests,
)
from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_members import ADMIN, list_members
from authsrv.storage.clients import Client, hold_client, save_client
from authsrv.storage.unit import Unit

LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class ApprovalDecision:
    """What was decided, for the mail to the app's admins, which is sent after the commit."""

    kind: str
    is_approved: bool
    reason: str
    client_id: str
    app_name: str
    emails: tuple[str, ...]


def request_approval(unit: Unit, client: Client, *, text: str, asked_by: str) -> ApprovalRequest:
    """Asks for the app's approval. Raises `approval_refused` where there is nothing to ask for, or one is open."""
    if client.approved_at is not None:
        raise _refused("The app is approved already.")
    if client.suspended_at is not None:
        raise _refused("The app is suspended.")
    return _ask(unit, client, APP, text=text, wanted=None, asked_by=asked_by)


def request_change(
    unit: Unit, client: Client, *, wanted: Mapping[str, Any], asked_by: str, text: str = ""
) -> ApprovalRequest:
    """Asks for a new `name` or `redirect_uris` of an approved app, in place of an open wish of that kind."""
    withdraw_request(unit, client, CHANGE, actor=asked_by)
    return _ask(unit, client, CHANGE, text=text, wanted=dict(wanted), asked_by=asked_by)


def withdraw_request(unit: Unit, client: Client, kind: str, *, actor: str) -> bool:
    """Takes back what is open; False when nothing is."""
    request = find_open_request(unit, client.id, kind)
    return request is not None and _withdraw(unit, client, request, actor=actor)


def withdraw_request_by_id(unit: Unit, request_id: UUID, *, actor: str) -> tuple[ApprovalRequest, Client]:
    """Takes back this one; returns it with its app. Raises not_found, and `decided_before` where it is not open."""
    found = find_approval_request(unit, request_id)
    if found is None:
        raise _not_found()
    request, client = found
    if not _withdraw(unit, client, request, actor=actor):
        raise _decided_before()
    return request, client


def face_of(client: Client) -> str:
    """What an operator who looks at the app has in front of them: another name or other redirect URIs are another."""
    return client.consent_changed_at.isoformat() if client.consent_changed_at else ""


def is_as_seen(unit: Unit, client: Client, face: str) -> bool:
    """Whether the app still has this face; it keeps it until this transaction ends."""
    hold_client(unit, client)
    return face_of(client) == face


def decide_approval(
    unit: Unit, request_id: UUID, *, approve: bool, reason: str, operator: str, seen: str | None = None
) -> ApprovalDecision:
    """Settles an open request: an app is approved, a change takes effect, or nothing changes.

    `seen` is the face of the app that the operator looked at, None where they looked at none. Raises not_found,
    `reason_missing` for a refusal without one, `decided_before` where somebody was quicker, `changed_since` where what
    would be approved is not what was seen.
    """
    found = find_approval_request(unit, request_id)
    if found is None:
        raise _not_found()
    if not approve and not reason.strip():
        raise DomainError("reason_missing", 400, "reason: a refusal needs one")
    request, client = found
    if approve and seen is not None and not is_as_seen(unit, client, seen):
        raise DomainError("changed_since", 409, "The app has another name or other redirect URIs by now.")
    status = APPROVED if approve else REFUSED
    if not close_approval_request(unit, request_id, status=status, decided_by=operator, reason=reason[:LONGEST_TEXT]):
        raise _decided_before()
    add_audit_event(
        unit, f"approval.{status}", actor=operator, subject=client.client_id, kind=request.kind, reason=reason[:500]
    )
    if approve and request.kind == APP:
        approve_client(unit, client, actor=operator)
    elif approve:
        # The developer's change; that the operator agreed has an event of its own.
        apply_identity(unit, client, request.wanted or {}, actor=request.asked_by)
    emails = tuple(member.email for member in list_members(unit, client.id) if member.role == ADMIN)
    return ApprovalDecision(request.kind, approve, reason, client.client_id, client.name, emails)


def list_requests(unit: Unit, *, status: str | None = OPEN) -> list[tuple[ApprovalRequest, Client]]:
    """The operator's queue, the longest waiting first, each request with its app; settled ones newest first."""
    return list_approval_requests(unit, status=status)


def apply_identity(unit: Unit, client: Client, wanted: Mapping[str, Any], *, actor: str) -> None:
    """Gives the app its new name or redirect URIs: to people it is another app now, so consent is asked for again."""
    changed = {name: value for name, value in wanted.items() if getattr(client, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(client, name, value)
    client.consent_changed_at = unit.now()
    save_client(unit, client)
    add_audit_event(unit, "client.changed", actor=actor, subject=client.client_id, fields=" ".join(sorted(changed)))


def _ask(
    unit: Unit, client: Client, kind: str, *, text: str, wanted: dict[str, Any] | None, asked_by: str
) -> ApprovalRequest:
    request = ApprovalRequest(
        id=unit.new_id(),
        client_id=client.id,
        kind=kind,
        text=text[:LONGEST_TEXT],
        wanted=wanted,
        status=OPEN,
        asked_by=asked_by,
        created_at=unit.now(),
    )
    try:
        add_approval_request(unit, request)
    except IntegrityError:
        raise _refused("It was asked for already.") from None
    add_audit_event(unit, "approval.requested", actor=asked_by, subject=client.client_id, kind=kind)
    return request


def _withdraw(unit: Unit, client: Client, request: ApprovalRequest, *, actor: str) -> bool:
    if not close_approval_request(unit, request.id, status=WITHDRAWN, decided_by=actor):
        return False
    add_audit_event(unit, "approval.withdrawn", actor=actor, subject=client.client_id, kind=request.kind)
    return True


def _not_found() -> DomainError:
    return DomainError("not_found", 404, "There is no such request.")


def _decided_before() -> DomainError:
    return DomainError("decided_before", 409, "The request was settled already.")


def _refused(description: str) -> DomainError:
    return DomainError("approval_refused", 409, description)
