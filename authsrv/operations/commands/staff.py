"""`authsrv staff`: who works in a store, and which apps act there; `users create` makes somebody staff at once."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from authsrv.identity.emails import normal_email
from authsrv.identity.staff import invite_staff, remove_staff, take_back
from authsrv.kit.errors import DomainError
from authsrv.oauth.store_apps import disconnect_app
from authsrv.operations.commands.invitation_rows import COLUMNS, described_invitations, get_invitation, no_invitation
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.operations.commands.store_rows import get_store
from authsrv.storage.clients import find_client
from authsrv.storage.store_apps import list_store_apps
from authsrv.storage.store_people import StorePerson, list_staff
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import OWNER

commands = typer.Typer(help="Who works in a store.", no_args_is_help=True)
OfStore = Annotated[str, typer.Option("--store", help="Prefix of the store.")]


class Role(StrEnum):
    STAFF = "staff"
    OWNER = "owner"


@commands.command("list")
def list_all(store: OfStore, as_json: AsJson = False) -> None:
    """Who works in a store, owners first."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        return [
            {"email": one.email, "name": one.name, "role": one.role, "since": one.since.isoformat()}
            for one in list_staff(unit, get_store(unit, store).id)
        ]

    show_many(run(work), as_json=as_json, columns=("email", "name", "role", "since"), nothing="Nobody works there.")


@commands.command("invite")
def invite(
    email: str,
    store: OfStore,
    role: Role = Role.STAFF,
    by: Annotated[str | None, typer.Option(help="The owner who invites; the first one when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Mail somebody an invitation to work in a store, which they take within a week."""
    from authsrv.operations.commands.inviting import invite_by_mail  # noqa: PLC0415  # templates: slow to load
    from authsrv.web.invitation_mails import Invited, word_staff_invitation  # noqa: PLC0415

    def make(unit: Unit, tools: Tools) -> Invited:
        found, address = get_store(unit, store), normal_email(email)
        host = _owner_of(unit, found, by)
        link = invite_staff(
            unit, tools.sealer, found, email=address, role=role.value, invited_by=host.user_id, actor=ACTOR
        )
        return Invited(address, into=found.name, role=role.value, by=host.email, link=link)

    invite_by_mail(make, word_staff_invitation, as_json=as_json)


@commands.command("invitations")
def list_invitations(store: OfStore, as_json: AsJson = False) -> None:
    """Who was invited to work in a store and has not answered yet."""
    rows = run(lambda unit, _: described_invitations(unit, get_store(unit, store)))
    show_many(rows, as_json=as_json, columns=COLUMNS, nothing="No invitation is open.")


@commands.command("take-back")
def take_back_invitation(email: str, store: OfStore, as_json: AsJson = False) -> None:
    """Take an invitation back: its link opens nothing any more."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        found = get_store(unit, store)
        invitation = get_invitation(unit, found, email)
        if not take_back(unit, found, invitation.id, actor=ACTOR):
            raise no_invitation(found, invitation.email)
        return {"email": invitation.email, "store": store, "taken_back": True}

    show_one(run(work), as_json=as_json)


@commands.command("remove")
def remove(email: str, store: OfStore, as_json: AsJson = False) -> None:
    """Make somebody a customer again; the last owner stays."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        found, address = get_store(unit, store), normal_email(email)
        person = next((one for one in list_staff(unit, found.id) if one.email == address), None)
        if person is None:
            raise DomainError("not_found", 404, f"{address} does not work in {store}.")
        remove_staff(unit, found, person.user_id, actor=ACTOR)
        return {"email": address, "store": store, "removed": True}

    show_one(run(work), as_json=as_json)


@commands.command("apps")
def apps(store: OfStore, as_json: AsJson = False) -> None:
    """The apps that act in a store, and what they may do there."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        return [
            {
                "client_id": one.client.client_id,
                "name": one.client.name,
                "scope": " ".join(one.scopes),
                "people": one.people,
                "since": one.since.isoformat(),
                "last_used_at": one.last_used_at.isoformat() if one.last_used_at else None,
            }
            for one in list_store_apps(unit, get_store(unit, store).id)
        ]

    columns = ("client_id", "name", "scope", "people", "since", "last_used_at")
    show_many(run(work), as_json=as_json, columns=columns, nothing="No app is connected.")


@commands.command("disconnect")
def disconnect(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The client_id.")],
    store: OfStore,
    as_json: AsJson = False,
) -> None:
    """End all that an app may do in a store, for everybody, at once."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        client = find_client(unit, client_id)
        if client is None or not disconnect_app(unit, get_store(unit, store), client, actor=ACTOR):
            raise DomainError("not_found", 404, f"{client_id} has nothing in {store}.")
        return {"client_id": client_id, "store": store, "disconnected": True}

    show_one(run(work), as_json=as_json)


def _owner_of(unit: Unit, store: Store, email: str | None) -> StorePerson:
    wanted = normal_email(email) if email else None
    for person in list_staff(unit, store.id):
        if person.role == OWNER and wanted in {None, person.email}:
            return person
    fault = f"{wanted} is no owner of" if wanted else "There is no owner of"
    raise DomainError("not_found", 404, f"{fault} {store.prefix}.")
