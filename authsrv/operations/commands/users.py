"""`authsrv users`: people, and what they are in which store."""

import asyncio
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from authsrv.identity.customer_api import Customer, allow_customer
from authsrv.identity.emails import normal_email
from authsrv.identity.people import demote_operator, rename_person
from authsrv.identity.staff import add_staff
from authsrv.identity.suspension import resume_person, suspend_person
from authsrv.kit.passwords import LONGEST_PASSWORD, Passwords
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.operations.commands import user_sessions
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, fail, run, show_many, show_one
from authsrv.operations.commands.store_rows import get_store
from authsrv.operations.commands.user_rows import described_person, get_person, sessions_of
from authsrv.storage.audit import add_audit_event
from authsrv.storage.lookups import search_users
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_or_add_user, get_membership, join_store

commands = typer.Typer(help="People.", no_args_is_help=True)
commands.command("sessions")(user_sessions.sessions)
commands.command("sign-out")(user_sessions.sign_out)
Reason = Annotated[str, typer.Option(help="Stands in the audit log.")]


class Role(StrEnum):
    """What a person is in a store."""

    CUSTOMER = "customer"
    STAFF = "staff"
    OWNER = "owner"


@commands.callback()
def group() -> None:
    """People."""


@commands.command("create")
def create(
    email: str,
    store: Annotated[str | None, typer.Option(help="Prefix of the store the person belongs to.")] = None,
    role: Annotated[Role | None, typer.Option(help="What the person is there; customer when left out.")] = None,
    customer_api: Annotated[
        bool, typer.Option("--customer-api", help="Let the customer use the Customer API.")
    ] = False,
    operator: Annotated[bool, typer.Option("--operator", help="Let the person approve and suspend apps.")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password from standard input.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a person, or give an existing one a membership or right; none is taken away."""
    if (role or customer_api) and store is None:
        raise typer.BadParameter("--role and --customer-api need --store.")
    password_hash = _read_password() if password_stdin else None

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        address = normal_email(email)
        user, _new = find_or_add_user(unit, email=address)
        user.is_operator |= operator
        user.password_hash = password_hash or user.password_hash
        unit.session.add(user)
        membership = _join(unit, user, store, role, may_use_customer_api=customer_api) if store else {}
        add_audit_event(unit, "user.changed", actor=ACTOR, subject=address, store=store)
        return {"id": str(user.id), "email": user.email, "is_operator": user.is_operator, **membership}

    show_one(run(work), as_json=as_json)


@commands.command("list")
def list_all(
    search: Annotated[str, typer.Option(help="A part of the address or name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """People, newest first."""
    rows = run(lambda unit, _: [described_person(user) for user in search_users(unit, search, limit=limit)])
    show_many(rows, as_json=as_json, columns=("email", "name", "is_operator", "status"), nothing="Nobody.")


@commands.command("suspend")
def suspend(email: str, reason: Reason, as_json: AsJson = False) -> None:
    """Sign a person out everywhere and end what they allowed; they cannot sign in until resumed."""
    _change(email, suspend_person, reason, as_json=as_json)


@commands.command("resume")
def resume(email: str, reason: Reason, as_json: AsJson = False) -> None:
    """Let a suspended person sign in again."""
    _change(email, resume_person, reason, as_json=as_json)


@commands.command("demote")
def demote(
    email: str,
    operator: Annotated[bool, typer.Option("--operator", help="The right to approve and suspend apps.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a right from a person; what they are in a store, `authsrv staff remove` takes."""
    if not operator:
        raise typer.BadParameter("Name the right: --operator.")

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        user = get_person(unit, email)
        demote_operator(unit, user, actor=ACTOR)
        unit.session.refresh(user)
        return described_person(user)

    show_one(run(work), as_json=as_json)


@commands.command("rename")
def rename(email: str, name: str, as_json: AsJson = False) -> None:
    """Change what a person is called."""

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        user = get_person(unit, email)
        rename_person(unit, user, name)
        return described_person(user)

    show_one(run(work), as_json=as_json)


def _change(email: str, change: Callable[..., bool], reason: str, *, as_json: bool) -> None:
    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        user = get_person(unit, email)
        change(unit, user, sessions_of(tools), unit.now() + LONGEST_TOKEN, actor=ACTOR, reason=reason)
        unit.session.refresh(user)
        return described_person(user)

    show_one(run(work), as_json=as_json)


def _join(unit: Unit, user: User, prefix: str, role: Role | None, *, may_use_customer_api: bool) -> dict[str, Any]:
    store = get_store(unit, prefix)
    if role in {Role.STAFF, Role.OWNER}:
        add_staff(unit, store, user, role=role.value, actor=ACTOR)
    else:
        join_store(unit, store_id=store.id, user_id=user.id)
    if may_use_customer_api:
        allow_customer(unit, Customer(user.id, store.id, user.email, prefix), actor=ACTOR)
    membership = get_membership(unit, store_id=store.id, user_id=user.id)
    return {
        "store": prefix,
        "role": membership.role,
        "customer_id": membership.customer_id,
        "customer_api": membership.may_use_customer_api,
    }


def _read_password() -> str:
    password = sys.stdin.readline().rstrip("\r\n")
    if not 8 <= len(password) <= LONGEST_PASSWORD:
        fail(f"A password needs 8 to {LONGEST_PASSWORD} characters.")
    passwords = Passwords(threads=1)
    try:
        return asyncio.run(passwords.hash(password))
    finally:
        passwords.close()
