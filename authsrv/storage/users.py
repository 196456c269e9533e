"""People, one by e-mail address, and what each is in which store."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel, col, select, update

from authsrv.storage.columns import UTC_TIME
from authsrv.storage.unit import Unit

CUSTOMER, STAFF, OWNER = "customer", "staff", "owner"
# Who works in a store sees all its orders; a customer sees their own.
STAFF_ROLES = (STAFF, OWNER)
# Stands where somebody has to be named and there is nobody; such an address can never be signed in with (RFC 2606, 2).
NOBODY = "nobody@registration.invalid"


class User(SQLModel, table=True):
    """A person; `email` is stored in lower case and is the only name they sign in with."""

    __tablename__ = "user"

    id: UUID = Field(primary_key=True)
    email: str = Field(max_length=254, unique=True)
    name: str = Field(default="", max_length=200)
    # The end of the name, where it is known which part of it that is.
    last_name: str = Field(default="", max_length=100, sa_column_kwargs={"server_default": ""})
    password_hash: str | None = Field(default=None, max_length=200)
    is_operator: bool = False
    # Random; what pairwise subjects are made with (OIDC Core 8.1).
    subject_salt: str | None = Field(default=None, max_length=32)
    email_verified_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    suspended_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    updated_at: datetime | None = Field(default=None, sa_type=UTC_TIME)
    created_at: datetime = Field(sa_type=UTC_TIME)


class Membership(SQLModel, table=True):
    """A person in a store: customer, staff or owner. `customer_id` is the store's own number for them, else ours."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("store_id", "user_id"), UniqueConstraint("store_id", "customer_id"))

    id: UUID = Field(primary_key=True)
    store_id: UUID = Field(foreign_key="store.id")
    user_id: UUID = Field(foreign_key="user.id", index=True)
    role: str = Field(max_length=10)
    customer_id: str = Field(max_length=64)
    may_use_customer_api: bool = False
    created_at: datetime = Field(sa_type=UTC_TIME)


def add_user(unit: Unit, *, email: str, name: str = "") -> User:
    # Two identifiers make 124 random bits.
    salt = f"{unit.new_id().hex[16:]}{unit.new_id().hex[16:]}"
    user = User(id=unit.new_id(), email=email, name=name, subject_salt=salt, created_at=unit.now())
    unit.session.add(user)
    unit.session.flush()
    return user


def find_or_add_user(unit: Unit, *, email: str, name: str = "") -> tuple[User, bool]:
    """The person of this address, and whether they are new; of two who come at once, one is."""
    if (known := find_user(unit, email)) is not None:
        return known, False
    try:
        with unit.session.begin_nested():
            return add_user(unit, email=email, name=name), True
    except IntegrityError:
        return unit.session.exec(select(User).where(User.email == email)).one(), False


def suspend_user(unit: Unit, user_id: UUID) -> bool:
    """The person may no longer sign in; False when they could not before."""
    living = col(User.id) == user_id, col(User.suspended_at).is_(None)
    return unit.change(update(User).where(*living).values(suspended_at=unit.now(), updated_at=unit.now())) == 1


def resume_user(unit: Unit, user_id: UUID) -> bool:
    """The person may sign in again; False when they could."""
    suspended = col(User.id) == user_id, col(User.suspended_at).is_not(None)
    return unit.change(update(User).where(*suspended).values(suspended_at=None, updated_at=unit.now())) == 1


def hold_active_user(unit: Unit, user_id: UUID) -> bool:
    """Whether the person may act, and goes on so until this transaction ends: who suspends them waits."""
    active = select(User.id).where(User.id == user_id, col(User.suspended_at).is_(None))
    return unit.session.exec(active.with_for_update(read=True)).first() is not None


def end_operator(unit: Unit, user_id: UUID) -> bool:
    """Takes the operator's right; False for who does not have it."""
    operator = col(User.id) == user_id, col(User.is_operator)
    return unit.change(update(User).where(*operator).values(is_operator=False, updated_at=unit.now())) == 1


def save_name(unit: Unit, user: User, name: str) -> None:
    user.name, user.updated_at = name, unit.now()
    unit.session.add(user)


def find_user(unit: Unit, email: str) -> User | None:
    return unit.session.exec(select(User).where(User.email == email)).first()


def find_user_by_id(unit: Unit, user_id: UUID) -> User | None:
    return unit.session.get(User, user_id)


def replace_password_hash(unit: Unit, user_id: UUID, old: str, new: str) -> bool:
    """The same password hashed anew; False where another password was set in the meantime."""
    replaced = (
        update(User)
        .where(col(User.id) == user_id, col(User.password_hash) == old)
        .values(password_hash=new)
        .execution_options(synchronize_session=False)
    )
    return unit.change(replaced) == 1


def add_membership(unit: Unit, *, store_id: UUID, user_id: UUID, role: str, customer_id: str | None) -> Membership:
    membership = Membership(
        id=unit.new_id(),
        store_id=store_id,
        user_id=user_id,
        role=role,
        customer_id=customer_id or str(user_id),
        created_at=unit.now(),
    )
    unit.session.add(membership)
    unit.session.flush()
    return membership


def join_store(unit: Unit, *, store_id: UUID, user_id: UUID) -> None:
    """Makes the person a customer of the store, unless they belong to it already."""
    if find_membership(unit, store_id=store_id, user_id=user_id) is None:
        try:
            with unit.session.begin_nested():
                add_membership(unit, store_id=store_id, user_id=user_id, role=CUSTOMER, customer_id=None)
        except IntegrityError:
            return  # another request of theirs came first


def find_membership(unit: Unit, *, store_id: UUID, user_id: UUID) -> Membership | None:
    mine = col(Membership.store_id) == store_id, col(Membership.user_id) == user_id
    return unit.session.exec(select(Membership).where(*mine)).first()


def get_membership(unit: Unit, *, store_id: UUID, user_id: UUID) -> Membership:
    """As it stands by now; the person must belong to the store."""
    mine = col(Membership.store_id) == store_id, col(Membership.user_id) == user_id
    return unit.session.exec(select(Membership).where(*mine).execution_options(populate_existing=True)).one()


def find_owner(unit: Unit, store_id: UUID) -> UUID | None:
    """Whoever has owned the store longest."""
    query = select(Membership.user_id).where(Membership.store_id == store_id, Membership.role == OWNER)
    return unit.session.exec(query.order_by(col(Membership.id)).limit(1)).first()


def list_memberships(unit: Unit, user_id: UUID) -> list[Membership]:
    return list(unit.session.exec(select(Membership).where(Membership.user_id == user_id)))
