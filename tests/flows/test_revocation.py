"""A token is taken back (RFC 7009)."""

import pytest

from tests.actors import Service, bearer
from tests.engines import on_postgresql_alone
from tests.support.world import World

FORMATS = ("jwt", "opaque")


@pytest.mark.parametrize("token_format", FORMATS)
def test_a_revoked_token_opens_nothing_any_more(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    token, other = service.get_token(), service.get_token()
    assert world.http.get("/orders", headers=bearer(token)).status_code == 200

    answer = service.revoke(token)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {}
    assert answer.headers["cache-control"] == "no-store"
    refused = world.http.get("/orders", headers=bearer(token))
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    # The client's other tokens live on.
    assert world.http.get("/orders", headers=bearer(other)).status_code == 200


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "magic"])
def test_a_hint_changes_nothing(world: World, hint: str) -> None:
    service = Service.hired(world)
    token = service.get_token()
    assert service.revoke(token, token_type_hint=hint).status_code == 200
    assert service.introspect(token) == {"active": False}


@pytest.mark.parametrize("token_format", FORMATS)
def test_revoking_twice_is_as_good_as_once(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    token = service.get_token()
    first, second = service.revoke(token), service.revoke(token)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content


@pytest.mark.parametrize("garbage", ["x", "a.b.c", "at_AAAA", "é", "A" * 20_000], ids=["x", "dots", "at", "é", "long"])
@on_postgresql_alone()
def test_garbage_is_answered_as_if_it_had_been_revoked(world: World, garbage: str) -> None:
    answer = Service.hired(world).revoke(garbage)
    assert answer.status_code == 200
    assert answer.json() == {}


@pytest.mark.parametrize("token_format", FORMATS)
def test_nobody_revokes_the_token_of_another_client(world: World, token_format: str) -> None:
    service = Service.hired(world, token_format=token_format)
    token = service.get_token()
    for stranger in (Service.hired(world), Service.hired(world, is_resource_server=True)):
        answer = stranger.revoke(token)
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_grant"
    assert service.introspect(token)["active"] is True


def test_a_suspended_clients_tokens_stop_at_once(world: World) -> None:
    service = Service.hired(world)
    assert service.list().status_code == 200
    world.suspend(service.credentials)
    assert service.list().status_code == 401
