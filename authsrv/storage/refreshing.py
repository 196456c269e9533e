"""The two writes of the hot path: redeeming a code and stepping a refresh generation, each one conditional UPDATE.

What the answer needs of the person and the store comes back with the write, so that neither costs a second statement.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, String, Uuid, and_, bindparam, func, literal, or_, select, update
from sqlmodel import col

from authsrv.storage.clients import Client
from authsrv.storage.columns import UTC_TIME
from authsrv.storage.grants import Grant
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """A grant with what tokens say of its person and store. `generation` is the refresh generation after the write."""

    id: UUID
    user_id: UUID
    client_id: UUID
    session_id: UUID | None
    scope: str
    requested_scope: str
    audience: list[str] | None
    claims: dict[str, Any] | None
    auth_time: datetime
    amr: str
    nonce: str | None
    redirect_uri: str | None
    code_challenge: str | None
    is_refreshable: bool
    generation: int
    redeemed_at: datetime | None
    refreshed_at: datetime | None
    revoked_at: datetime | None
    expires_at: datetime
    email: str
    name: str
    subject_salt: str | None
    email_verified_at: datetime | None
    store: str | None


_TABLE: Any = Grant
_OWN = tuple(
    getattr(_TABLE, name)
    for name in LiveGrant.__dataclass_fields__
    if name not in {"email", "name", "subject_salt", "email_verified_at", "store"}
)


def _of_user(column: Any) -> Any:
    return select(column).where(col(User.id) == col(Grant.user_id)).scalar_subquery()


_FACTS = (
    *_OWN,
    _of_user(User.email).label("email"),
    _of_user(User.name).label("name"),
    _of_user(User.subject_salt).label("subject_salt"),
    _of_user(User.email_verified_at).label("email_verified_at"),
    select(col(Store.prefix)).where(col(Store.id) == col(Grant.store_id)).scalar_subquery().label("store"),
)
_LIVES = (col(Grant.revoked_at).is_(None), col(Grant.expires_at) > bindparam("now"))
_OF_CLIENT = (col(Grant.id) == bindparam("grant_id"), col(Grant.client_id) == bindparam("client_row_id"))
_CHALLENGE: Any = bindparam("code_challenge_sent", type_=String())
_REDIRECT_URI: Any = bindparam("redirect_uri_sent", type_=String())
_STORE_ID: Any = bindparam("store_id_sent", type_=Uuid())
# Where the request names a store, only grants of that store.
_IN_STORE = or_(_STORE_ID.is_(None), col(Grant.store_id) == _STORE_ID)

_REDEEM = (
    update(_TABLE)
    .where(
        *_OF_CLIENT,
        *_LIVES,
        _IN_STORE,
        col(Grant.redeemed_at).is_(None),
        col(Grant.code_expires_at) > bindparam("now"),
        # RFC 7636, 4.6; a verifier for a code that was asked for without a challenge is refused too (RFC 9700, 4.8.2).
        col(Grant.code_challenge).is_not_distinct_from(_CHALLENGE),
        or_(
            col(Grant.redirect_uri) == _REDIRECT_URI,
            # RFC 6749, 4.1.3: needed only where the request for the code had it.
            and_(col(Grant.redirect_uri).is_(None), bindparam("is_only_uri", type_=Boolean())),
            # With PKCE it may be left out (OAuth 2.1).
            and_(_REDIRECT_URI.is_(None), _CHALLENGE.is_not(None)),
        ),
    )
    .values(redeemed_at=bindparam("now"))
    .returning(*_FACTS)
)
_STEP = (
    update(_TABLE)
    .where(
        *_OF_CLIENT,
        *_LIVES,
        _IN_STORE,
        col(Grant.is_refreshable),
        col(Grant.generation) == bindparam("presented"),
        func.coalesce(col(Grant.refreshed_at), col(Grant.redeemed_at)) > bindparam("used_after"),
    )
    .values(generation=bindparam("next_generation"), refreshed_at=bindparam("now"))
    .returning(*_FACTS)
)
_IS_ITS_CLIENT = and_(col(Client.id) == col(Grant.client_id), col(Client.deleted_at).is_(None))
_READ = select(*_FACTS).where(*_OF_CLIENT)
_READ_ANYBODYS = (
    select(*_FACTS, col(Client.client_id)).join(Client, _IS_ITS_CLIENT).where(col(Grant.id) == bindparam("grant_id"))
)


def take_code(
    unit: Unit,
    grant_id: UUID,
    client_row_id: UUID,
    *,
    code_challenge: str | None,
    redirect_uri: str | None,
    is_only_uri: bool,
    store_id: UUID | None = None,
    is_final: bool,
) -> LiveGrant | None:
    """Redeems the grant's code, once; None when it is not live, or not for this client, challenge, URI or store.

    `is_only_uri`: no other than this one can have been meant where the request for the code had none.
    `is_final`: nothing that is judged afterwards can refuse the request.
    """
    fetch = unit.fetch_alone if is_final else unit.fetch_one
    return _fact(
        fetch(
            _REDEEM,
            grant_id=grant_id,
            client_row_id=client_row_id,
            now=unit.now(),
            code_challenge_sent=code_challenge,
            redirect_uri_sent=redirect_uri,
            store_id_sent=store_id,
            is_only_uri=is_only_uri,
        )
    )


def step_generation(
    unit: Unit,
    grant_id: UUID,
    client_row_id: UUID,
    *,
    presented: int,
    rotates: bool,
    idle: timedelta,
    store_id: UUID | None = None,
    is_final: bool,
) -> LiveGrant | None:
    """Compare-and-swap: from `presented` to the next generation (or to itself, for a client that does not rotate).

    None when another generation is current, or the grant is dead, idle for too long, or not this client's or store's.
    `is_final`: nothing that is judged afterwards can refuse the request.
    """
    now = unit.now()
    fetch = unit.fetch_alone if is_final else unit.fetch_one
    return _fact(
        fetch(
            _STEP,
            grant_id=grant_id,
            client_row_id=client_row_id,
            now=now,
            presented=presented,
            next_generation=presented + 1 if rotates else presented,
            used_after=now - idle,
            store_id_sent=store_id,
        )
    )


def find_grant(unit: Unit, grant_id: UUID, client_row_id: UUID) -> LiveGrant | None:
    """This client's grant as it stands, dead or alive; read to explain a refusal."""
    return _fact(unit.fetch_one(_READ, grant_id=grant_id, client_row_id=client_row_id))


def find_anybodys_grant(unit: Unit, grant_id: UUID) -> tuple[LiveGrant, str] | None:
    """The same, whosever client's it is, and that client's `client_id`."""
    row = unit.fetch_one(_READ_ANYBODYS, grant_id=grant_id)
    return (LiveGrant(*row[:-1]), row[-1]) if row is not None else None


def leap_generation(unit: Unit, grant_id: UUID, *, behind: int, next_generation: int) -> bool:
    """After a failover that lost commits: from the older generation the row has to the one that must be next.

    Where there was a refresh token there was a redemption, so a code that seems unused is none any more.
    """
    now = unit.now()
    return (
        unit.change(
            update(_TABLE)
            .where(col(Grant.id) == grant_id, col(Grant.generation) == behind, col(Grant.revoked_at).is_(None))
            .values(
                generation=next_generation,
                refreshed_at=now,
                redeemed_at=func.coalesce(col(Grant.redeemed_at), literal(now, UTC_TIME)),
            )
            .execution_options(synchronize_session=False)
        )
        == 1
    )


def _fact(row: Any) -> LiveGrant | None:
    return LiveGrant(*row) if row is not None else None
