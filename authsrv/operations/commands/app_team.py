"""`authsrv apps team`: who runs an app; put into its team at once, or invited by a mail that they answer."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError
from authsrv.oauth.teams import change_member, invite_member, remove_from_team, take_back
from authsrv.operations.commands.app_rows import AppId, get_app
from authsrv.operations.commands.invitation_rows import COLUMNS, described_invitations, get_invitation, no_invitation
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_members import ADMIN, TeamMember, add_member, list_members
from authsrv.storage.clients import Client
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_or_add_user, find_user

commands = typer.Typer(help="The team of an app.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(metavar="EMAIL")]


class Role(StrEnum):
    ADMIN = "admin"
    VIEWER = "viewer"


@commands.command("list")
def list_all(client_id: AppId, as_json: AsJson = False) -> None:
    """Who is in the team."""
    _show(client_id, lambda unit, client: None, as_json=as_json)


@commands.command("add")
def add(client_id: AppId, email: Email, role: Role = Role.VIEWER, as_json: AsJson = False) -> None:
    """Put somebody into the team; made if unknown."""

    def change(unit: Unit, client: Client) -> None:
        user, _ = find_or_add_user(unit, email=normal_email(email))
        if not add_member(unit, client_row_id=client.id, user_id=user.id, role=role.value):
            raise DomainError("member_already", 409, f"{user.email} is in the team already.")
        add_audit_event(unit, "member.joined", actor=ACTOR, subject=client.client_id, email=user.email, role=role.value)

    _show(client_id, change, as_json=as_json)


@commands.command("invite")
def invite(
    client_id: AppId,
    email: Email,
    role: Role = Role.VIEWER,
    by: Annotated[str | None, typer.Option(help="The admin who invites; the first one when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Mail somebody an invitation, which they take at the portal within a week."""
    from authsrv.operations.commands.inviting import invite_by_mail  # noqa: PLC0415  # templates: slow to load
    from authsrv.web.invitation_mails import Invited, word_team_invitation  # noqa: PLC0415

    def make(unit: Unit, tools: Tools) -> Invited:
        client, address = get_app(unit, client_id), normal_email(email)
        host = _admin_of(unit, client, by)
        invited = invite_member(
            unit, tools.sealer, client, email=address, role=role.value, invited_by=host.user_id, actor=ACTOR
        )
        return Invited(address, into=client.name, role=role.value, by=host.email, link=invited.link)

    invite_by_mail(make, word_team_invitation, as_json=as_json)


@commands.command("invitations")
def list_invitations(client_id: AppId, as_json: AsJson = False) -> None:
    """Who was invited and has not answered yet."""
    rows = run(lambda unit, _: described_invitations(unit, get_app(unit, client_id)))
    show_many(rows, as_json=as_json, columns=COLUMNS, nothing="No invitation is open.")


@commands.command("take-back")
def take_back_invitation(client_id: AppId, email: Email, as_json: AsJson = False) -> None:
    """Take an invitation back: its link opens nothing any more."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        client = get_app(unit, client_id)
        invitation = get_invitation(unit, client, email)
        if not take_back(unit, client, invitation.id, actor=ACTOR):
            raise no_invitation(client, invitation.email)
        return {"email": invitation.email, "client_id": client_id, "taken_back": True}

    show_one(run(work), as_json=as_json)


@commands.command("role")
def change_role(client_id: AppId, email: Email, role: Role, as_json: AsJson = False) -> None:
    """Change what somebody may do; the last admin stays one."""

    def change(unit: Unit, client: Client) -> None:
        change_member(unit, client, _id_of(unit, email), role=role.value, actor=ACTOR)

    _show(client_id, change, as_json=as_json)


@commands.command("remove")
def remove(client_id: AppId, email: Email, as_json: AsJson = False) -> None:
    """Take somebody out; the last admin stays."""
    _show(
        client_id,
        lambda unit, client: remove_from_team(unit, client, _id_of(unit, email), actor=ACTOR),
        as_json=as_json,
    )


def _admin_of(unit: Unit, client: Client, email: str | None) -> TeamMember:
    admins = [member for member in list_members(unit, client.id) if member.role == ADMIN]
    wanted = normal_email(email) if email else None
    for admin in admins:
        if wanted in {None, admin.email}:
            return admin
    fault = f"{wanted} is no admin of" if wanted else "There is no admin of"
    raise DomainError("not_found", 404, f"{fault} {client.client_id}.")


def _id_of(unit: Unit, email: str) -> UUID:
    user = find_user(unit, normal_email(email))
    if user is None:
        raise DomainError("not_found", 404, f"There is nobody with the address {email}.")
    return user.id


def _show(client_id: str, change: Any, *, as_json: bool) -> None:
    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        client = get_app(unit, client_id)
        change(unit, client)
        return [
            {"email": member.email, "name": member.name, "role": member.role, "since": member.since.isoformat()}
            for member in list_members(unit, client.id)
        ]

    show_many(run(work), as_json=as_json, columns=("email", "name", "role", "since"), nothing="Nobody.")
