"""Bare JWTs: these claims to the letter and no others, so that nothing else that is signed here passes for one."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from authsrv.identity.customer_api import allow_customer, get_customer, make_password
from authsrv.kit.entropy import SystemEntropy
from authsrv.oauth.bare_tokens import read_bare, spell_bare
from authsrv.oauth.tokens import AccessToken
from authsrv.storage.unit import Unit
from tests.actors import bearer
from tests.people import App, Person
from tests.support.world import Registered, World

JTI = UUID("0192f0c1-2345-7abc-8def-0123456789ab")
GOOD = spell_bare(
    jti=JTI, client_id="a client", scope="a b", audience=(), issued_at=1_616_062_768, expires_at=1_616_066_368
)


def test_what_is_spelled_is_read() -> None:
    said = read_bare(GOOD)
    assert said is not None
    assert (said.identifier, said.sub, said.scopes, said.audience) == (JTI, "a client", ["a", "b"], ())


@pytest.mark.parametrize("audience", [(), ("https://one.example",), ("https://one.example", "https://two.example")])
def test_audiences_come_through(audience: tuple[str, ...]) -> None:
    said = read_bare({**GOOD, **spell_bare(
        jti=JTI, client_id="c", scope="", audience=audience, issued_at=1, expires_at=2
    )})  # fmt: skip
    assert said is not None
    assert said.audience == audience


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_claim_that_is_missing_makes_it_none(missing: str) -> None:
    assert read_bare({name: value for name, value in GOOD.items() if name != missing}) is None


@pytest.mark.parametrize("more", ["iss", "client_id", "nonce", "at_hash", "scope", "events"])
def test_a_claim_too_many_makes_it_none(more: str) -> None:
    """What an ID token, a logout token or an access token of RFC 9068 would have."""
    assert read_bare({**GOOD, more: "x"}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"jti": "164381f6-dcea-46c1-bf8f-f9f22288970c"},
        {"jti": JTI.hex},
        {"exp": "1616066368"},
        {"iat": -1},
        {"scopes": "a b"},
        {"sub": None},
    ],
    ids=str,
)
def test_a_claim_of_another_kind_makes_it_none(wrong: dict[str, Any]) -> None:
    assert read_bare({**GOOD, **wrong}) is None


def password(world: World) -> tuple[Registered, str]:
    """A person's own client in a store, and the store."""
    prefix = world.add_store().prefix
    person = Person.signed_in(world, stores=(prefix,))

    def work(unit: Unit) -> Registered:
        customer = get_customer(unit, person.email, prefix)
        allow_customer(unit, customer, actor="test")
        made = make_password(unit, customer, entropy=SystemEntropy(), actor="test")
        return Registered(made.client_id, made.client_secret)

    return world.transact(work), prefix


def get_token(world: World, client: Registered) -> str:
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": client.client_secret}
    token: str = world.http.post("/oauth/token", data=form).json()["access_token"]
    return token


def resign(world: World, token: AccessToken, typ: str, **more: object) -> str:
    """The same claims under our own key, with more of them or under another type."""
    signer = world.runtime.keyring.signing("RS256").signer
    claims = spell_bare(
        jti=token.jti,
        client_id=token.client_id,
        scope=token.scope,
        audience=(),
        issued_at=token.issued_at,
        expires_at=token.expires_at,
    )
    return signer.sign({**claims, **more}, typ)


def test_under_our_own_key_only_the_very_claims_and_type_open_anything(world: World) -> None:
    client, _ = password(world)
    token = world.runtime.server.tokens.recognise(get_token(world, client))
    assert token is not None
    cases = {
        resign(world, token, "JWT"): 200,
        resign(world, token, "JWT", iss=world.url): 401,
        resign(world, token, "at+jwt"): 401,
        resign(world, token, "logout+jwt"): 401,
        resign(world, token, ""): 401,
    }
    for text, status in cases.items():
        assert world.http.get("/orders", headers=bearer(text)).status_code == status


def test_it_is_no_hint_of_who_signed_in(world: World) -> None:
    """OIDC Core 3.1.2.1 wants an ID token there."""
    client, prefix = password(world)
    person = Person.signed_in(world, stores=(prefix,))
    app = App.registered(world, post_logout_redirect_uris=["https://app.example/bye"])
    query = urlencode(
        {
            "id_token_hint": get_token(world, client),
            "client_id": app.credentials.client_id,
            "post_logout_redirect_uri": "https://app.example/bye",
        }
    )
    asked = person.visit(f"/oauth/logout?{query}")
    assert not asked.is_redirect
    assert person.visit("/account").url.path == "/account"


def test_of_a_client_that_is_gone_it_is_worth_nothing(world: World) -> None:
    """Whoever signs for a client that there is not, with our own key."""
    client, _ = password(world)
    token = world.runtime.server.tokens.recognise(get_token(world, client))
    assert token is not None
    nobody = AccessToken(
        jti=token.jti,
        client_id=str(uuid4()),
        subject="",
        scope=token.scope,
        audience=(),
        issued_at=token.issued_at,
        expires_at=token.expires_at,
    )
    assert world.http.get("/orders", headers=bearer(resign(world, nobody, "JWT"))).status_code == 401
