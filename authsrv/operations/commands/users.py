"""`authsrv users`: people, and what they are in which store."""

import asyncio
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from authsrv.identity.customer_api import Customer, allow_customer
from authsrv.identity.emails import normal_email
from authsrv.kit.errors import DomainError
from authsrv.kit.passwords import LONGEST_PASSWORD, Passwords
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, fail, run, show_one
from authsrv.storage.audit import add_audit_event
from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, add_membership, add_user, find_membership, find_user

commands = typer.Typer(help="People.", no_args_is_help=True)


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
