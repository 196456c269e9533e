"""`authsrv users`: people, and what they are in which store."""

import asyncio
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from authsrv.identity.customer_api import Customer, allow_customer
from authsrv.identity.emails import normal_email
from authsrv.identity.sessions import Sessions
from authsrv.identity.suspension import resume_person, suspend_person
from authsrv.kit.clock import SystemClock
from authsrv.kit.errors import DomainError
from authsrv.kit.handles import HandleSealer
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.passwords import LONGEST_PASSWORD, Passwords
from authsrv.oauth.clients import ClientDirectory
from authsrv.oauth.keyring import LONGEST_TOKEN, Keyring
from authsrv.oauth.logout_tokens import BackchannelLogout
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, fail, run, show_many, show_one
from authsrv.storage.audit import add_audit_event
from authsrv.storage.lookups import search_users
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, add_membership, add_user, find_membership, find_user

commands = typer.Typer(help="People.", no_args_is_help=True)
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
    """Make a person, or give an existing one a membership or right."""
    if (role or customer_api) and store is None:
        raise typer.BadParameter("--role and --customer-api need --store.")
    password_hash = _read_password() if password_stdin else None

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        address = normal_email(email)
        user = find_user(unit, address) or add_user(unit, email=address)
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
    rows = run(lambda unit, _: [_described(user) for user in search_users(unit, search, limit=limit)])
    show_many(rows, as_json=as_json, columns=("email", "name", "is_operator", "status"), nothing="Nobody.")


@commands.command("suspend")
def suspend(email: str, reason: Reason, as_json: AsJson = False) -> None:
    """Sign a person out everywhere and end what they allowed; they cannot sign in until resumed."""
    _change(email, suspend_person, reason, as_json=as_json)


@commands.command("resume")
def resume(email: str, reason: Reason, as_json: AsJson = False) -> None:
    """Let a suspended person sign in again."""
    _change(email, resume_person, reason, as_json=as_json)


def _change(email: str, change: Callable[..., bool], reason: str, *, as_json: bool) -> None:
    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        address = normal_email(email)
        user = find_user(unit, address)
        if user is None:
            raise DomainError("not_found", 404, f"There is no person {address}.")
        change(unit, user, _sessions(tools), unit.now() + LONGEST_TOKEN, actor=ACTOR, reason=reason)
        unit.session.refresh(user)
        return _described(user)

    show_one(run(work), as_json=as_json)


def _sessions(tools: Tools) -> Sessions:
    """As the server has them: apps that asked for it are told that the sessions ended."""
    clock, limits = SystemClock(), tools.settings.sessions
    sessions = Sessions(
        HandleSealer(tools.keys), idle_seconds=limits.idle_seconds, absolute_seconds=limits.absolute_seconds
    )
    logout = BackchannelLogout(
        issuer=tools.settings.issuer,
        keyring=Keyring(tools.vault("signing key"), clock),
        clients=ClientDirectory(),
        identifiers=Identifiers(clock, tools.entropy),
        clock=clock,
    )
    sessions.on_end(logout.queue_logouts)
    return sessions


def _described(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "is_operator": user.is_operator,
        "status": "suspended" if user.suspended_at else "active",
        "created_at": user.created_at.isoformat(),
    }


def _join(unit: Unit, user: User, prefix: str, role: Role | None, *, may_use_customer_api: bool) -> dict[str, Any]:
    store = find_store(unit, prefix)
    if store is None:
        raise DomainError("not_found", 404, f"There is no store {prefix}.")
    membership = find_membership(unit, store_id=store.id, user_id=user.id)
    if membership is None:
        membership = add_membership(
            unit, store_id=store.id, user_id=user.id, role=role or Role.CUSTOMER, customer_id=None
        )
    membership.role = role or membership.role
    unit.session.add(membership)
    unit.session.flush()
    if may_use_customer_api:
        allow_customer(unit, Customer(user.id, store.id, user.email, prefix), actor=ACTOR)
        unit.session.refresh(membership)
    return {
        "store": prefix,
        "role": str(membership.role),
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
