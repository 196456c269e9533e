"""The people of the stage and what they allowed an app: codes to redeem and refresh tokens to use, by arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.handles import Handle, HandleSealer
from authsrv.kit.machine_secrets import digest_of, make_secret
from authsrv.oauth.grants.authorization_code import challenge_of
from authsrv.oauth.issuing import AUTHORIZATION_CODE, REFRESH_TOKEN
from authsrv.storage.clients import Client, ClientSecret
from authsrv.storage.grants import Grant
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, add_user

APP = "app"
CALLBACK = "https://app.example/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-in-all"
PEOPLE = 1_000
# Each is refreshed or redeemed once: a round uses up a part of its share, and must not leave gaps in a chain.
REFRESHED = CODES = 40_000
_SCOPE = "offline_access orders:read"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What people allowed the app: its secret, the grants with codes, the grants in use."""

    secret: str
    sealer: HandleSealer
    unredeemed: Sequence[UUID]
    in_use: Sequence[UUID]

    def codes(self, count: int) -> list[str]:
        """So many authorization codes, or all there are."""
        return [self.sealer.seal(AUTHORIZATION_CODE, Handle(grant_id, 0)) for grant_id in self.unredeemed[:count]]

    def refresh_tokens(self, count: int) -> list[str]:
        """So many refresh tokens, each of another grant, or all there are."""
        return [self.sealer.seal(REFRESH_TOKEN, Handle(grant_id, 0)) for grant_id in self.in_use[:count]]


def add_people(unit: Unit, store: Store, sealer: HandleSealer, entropy: SystemEntropy) -> Allowed:
    """People, an app, and what they allowed it."""
    now = unit.now()
    app = _app(unit, store)
    secret = make_secret("cs_", entropy)
    digest = ClientSecret(
        id=unit.new_id(), client_id=app.id, digest=digest_of(secret), last_four=secret[-4:], created_at=now
    )
    _insert(unit, Client, [app.model_dump(exclude_none=True)])
    _insert(unit, ClientSecret, [digest.model_dump(exclude_none=True)])
    users: list[dict[str, Any]] = [
        {
            "id": unit.new_id(),
            "email": f"person{number}@example.com",
            "name": "",
            "is_operator": False,
            "created_at": now,
        }
        for number in range(PEOPLE)
    ]
    _insert(unit, User, users)
    common = {
        "client_id": app.id,
        "store_id": store.id,
        "scope": _SCOPE,
        "requested_scope": _SCOPE,
        "auth_time": now,
        "amr": "otp",
        "redirect_uri": CALLBACK,
        "code_challenge": challenge_of(VERIFIER),
        "is_refreshable": True,
        "generation": 0,
        "created_at": now,
        "expires_at": now + timedelta(days=365),
        "code_expires_at": now + timedelta(days=1),
    }
    people = [user["id"] for user in users]
    in_use = [{**common, **_grant(unit, people, number), "redeemed_at": now} for number in range(REFRESHED)]
    unredeemed = [{**common, **_grant(unit, people, number)} for number in range(CODES)]
    _insert(unit, Grant, in_use)
    _insert(unit, Grant, unredeemed)
    return Allowed(secret, sealer, [grant["id"] for grant in unredeemed], [grant["id"] for grant in in_use])


def _app(unit: Unit, store: Store) -> Client:
    developer = add_user(unit, email="maker@example.com")
    now = unit.now()
    return Client(
        id=unit.new_id(),
        client_id=APP,
        name="App",
        type="web",
        developer_id=developer.id,
        store_id=store.id,
        scope=_SCOPE,
        grant_types=["authorization_code", "refresh_token"],
        redirect_uris=[CALLBACK],
        post_logout_redirect_uris=[],
        created_at=now,
        updated_at=now,
    )


def _grant(unit: Unit, people: Sequence[UUID], number: int) -> dict[str, Any]:
    return {"id": unit.new_id(), "user_id": people[number % len(people)]}


def _insert(unit: Unit, table: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    unit.session.execute(insert(table), list(rows))
