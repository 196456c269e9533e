"""Secrets and keys: two secrets at once, each with its end and its last use; a key set in their place."""

import asyncio
import json
import re
from datetime import timedelta

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey

from authsrv.kit.clock import SystemClock
from authsrv.storage.clients import ClientSecret, list_live_secrets, note_secret_uses
from tests.actors import misspelt
from tests.portal import Developer, Made, made_in, row_of
from tests.support.world import World


@pytest.fixture
def developer(sqlite_world: World) -> Developer:
    return Developer.signed_in(sqlite_world)


def works(developer: Developer, app: Made, secret: str) -> bool:
    """Whether the token endpoint takes the secret: what it refuses then is the code."""
    form = {"grant_type": "authorization_code", "code": "x", "code_verifier": "v" * 43}
    answer = developer.world.http.post("/oauth/token", data=form, auth=(app.client_id, secret))
    assert answer.status_code in {400, 401}
    return bool(answer.json()["error"] == "invalid_grant")


def secrets_of(developer: Developer, app: Made) -> list[ClientSecret]:
    row = row_of(developer.world, app.client_id)
    return developer.world.transact(lambda unit: list_live_secrets(unit, row.id))


def test_a_secret_is_changed_in_three_clicks_without_downtime(developer: Developer) -> None:
    app = developer.create()
    page = developer.visit(f"{app.path}/credentials")
    # One: a second secret.
    added = made_in(developer.submit(page, f"{app.path}/secrets"))
    assert works(developer, app, app.secret)
    assert works(developer, app, added.secret)
    full = developer.visit(f"{app.path}/credentials").text
    assert "Two secrets live." in full
    assert added.secret not in full
    # Two and three: the old one, and yes.
    old = next(one for one in secrets_of(developer, app) if one.last_four == app.secret[-4:])
    done = developer.do(app, "/secrets/end", at="/credentials", secret=str(old.id), end="now")
    assert "The secret was revoked." in done.text
    assert not works(developer, app, app.secret)
    assert works(developer, app, added.secret)


def test_there_is_no_third_secret_however_many_ask_at_once(world: World) -> None:
    developer = Developer.signed_in(world)
    app = developer.create()
    pages = [developer.visit(f"{app.path}/credentials") for _ in range(4)]

    async def all_at_once() -> list[int]:
        async def ask(page: httpx.Response) -> int:
            answer = await asyncio.to_thread(developer.submit, page, f"{app.path}/secrets")
            return answer.status_code

        return await asyncio.gather(*(ask(page) for page in pages))

    statuses = sorted(asyncio.run(all_at_once()))
    assert statuses == [200, 409, 409, 409]
    assert len(secrets_of(developer, app)) == 2


def test_the_end_of_a_secret_can_be_set_and_taken_away(developer: Developer) -> None:
    app = developer.create()
    secret = secrets_of(developer, app)[0]
    now = SystemClock().now()

    def end(choice: str) -> ClientSecret:
        developer.do(app, "/secrets/end", at="/credentials", secret=str(secret.id), end=choice)
        return secrets_of(developer, app)[0]

    ends = end("7").expires_at
    assert ends is not None
    assert timedelta(days=6) < ends - now < timedelta(days=8)
    assert end("never").expires_at is None
    # The log says so in the reader's words.
    assert re.search(r"until \w+ \d+, 20\d\d, ", developer.visit(f"{app.path}/events").text)
    day = end("2999-12-31").expires_at
    assert day is not None
    assert day.isoformat().startswith("2999-12-31")
    for wrong in ("soon", "0030999999999999"):
        refused = developer.do(app, "/secrets/end", at="/credentials", secret=str(secret.id), end=wrong)
        assert refused.status_code == 400
    assert works(developer, app, app.secret)


def test_another_apps_secret_cannot_be_ended(developer: Developer) -> None:
    mine, theirs = developer.create(), Developer.signed_in(developer.world).create()
    secret = secrets_of(developer, theirs)[0]
    answer = developer.do(mine, "/secrets/end", at="/credentials", secret=str(secret.id), end="now")
    assert answer.status_code == 404
    assert works(developer, theirs, theirs.secret)


def test_its_last_use_is_told(developer: Developer) -> None:
    app, world = developer.create(), developer.world
    page = developer.visit(f"{app.path}/credentials").text
    assert "never" in page
    assert works(developer, app, app.secret)
    assert not works(developer, app, misspelt(app.secret))
    uses = [use for use in world.runtime.server.secret_uses.take() if use[0][0] == row_of(world, app.client_id).id]
    assert len(uses) == 1
    world.transact(lambda unit: note_secret_uses(unit, uses))
    assert secrets_of(developer, app)[0].last_used_at is not None
    assert works(developer, app, app.secret)
    # A busy secret costs no more writes.
    again = world.runtime.server.secret_uses.take()
    assert [use for use in again if use[0][0] == row_of(world, app.client_id).id] == []


def test_public_keys_take_the_place_of_secrets(developer: Developer) -> None:
    app = developer.create()
    key = ECKey.generate_key("P-256")
    jwks = json.dumps({"keys": [key.as_dict(private=False)]})
    done = developer.do(app, "/public-keys", at="/credentials", jwks=jwks)
    assert "with these keys" in done.text
    assert not works(developer, app, app.secret)
    row = row_of(developer.world, app.client_id)
    assert row.token_endpoint_auth_method == "private_key_jwt"
    assert secrets_of(developer, app) == []
    developer.do(app, "/public-keys", at="/credentials", jwks_uri="https://parcels.example/jwks")
    row = row_of(developer.world, app.client_id)
    assert (row.jwks, row.jwks_uri) == (None, "https://parcels.example/jwks")
    developer.do(app, "/public-keys", at="/credentials", method="secret")
    again = made_in(developer.submit(developer.visit(f"{app.path}/credentials"), f"{app.path}/secrets"))
    assert works(developer, app, again.secret)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        pytest.param({"jwks": "not JSON"}, "not a JWK Set", id="no JSON"),
        pytest.param({"jwks": "[]"}, "not a JWK Set", id="a list"),
        pytest.param({"jwks": '{"keys": []}'}, "not a JWK Set", id="no key"),
        pytest.param({"jwks": "private"}, "This holds a private key.", id="a private key"),
        pytest.param({"jwks": "symmetric"}, "This holds a private key.", id="a symmetric key"),
        pytest.param({"jwks_uri": "http://parcels.example/jwks"}, "plain http", id="plain http"),
        pytest.param({}, "not a JWK Set", id="nothing"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_at_their_field(
    developer: Developer, typed: dict[str, str], reason: str
) -> None:
    app = developer.create()
    made = {
        "private": lambda: ECKey.generate_key("P-256").as_dict(private=True),
        "symmetric": lambda: OctKey.generate_key(256).as_dict(private=True),
    }
    sent = {name: json.dumps({"keys": [made[text]()]}) if text in made else text for name, text in typed.items()}
    page = developer.do(app, "/public-keys", at="/credentials", **sent)
    assert page.status_code == 400
    assert reason in page.text
    assert works(developer, app, app.secret)
