"""What the token endpoint refuses, and that its refusals tell a guesser nothing (RFC 6749, 5.2; RFC 9700)."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.actors import FORM, Service
from tests.engines import on_postgresql_alone
from tests.support.world import World

GRANT = {"grant_type": "client_credentials"}


@dataclass
class Refused:
    """How a request is made wrong, and what is said to it."""

    make: Callable[[Service], dict[str, Any]]
    status: int
    error: str
    has_challenge: bool = False
    client: dict[str, Any] = field(default_factory=dict)


def basic(text: str | bytes) -> dict[str, str]:
    octets = text if isinstance(text, bytes) else text.encode()
    return {"Authorization": f"Basic {b64encode(octets).decode()}"}


def raw(body: str | bytes, content_type: str | None = FORM) -> Callable[[Service], dict[str, Any]]:
    headers = {"Content-Type": content_type} if content_type else {}
    return lambda service: {"content": body, "headers": headers, "auth": service.basic}


REFUSALS = {
    "a wrong secret in the header": Refused(
        lambda service: {"data": GRANT, "auth": (service.client_id, "wrong")}, 401, "invalid_client", has_challenge=True
    ),
    "a wrong secret in the body": Refused(
        lambda service: {"data": {**GRANT, **service.in_body, "client_secret": "wrong"}}, 401, "invalid_client"
    ),
    "an empty secret": Refused(
        lambda service: {"data": GRANT, "auth": (service.client_id, "")}, 401, "invalid_client", has_challenge=True
    ),
    "a secret with a space behind it": Refused(
        lambda service: {
            "data": {**GRANT, **service.in_body, "client_secret": f"{service.credentials.client_secret} "}
        },
        401,
        "invalid_client",
    ),
    "an unknown client": Refused(
        lambda _: {"data": GRANT, "auth": ("nobody", "wrong")}, 401, "invalid_client", has_challenge=True
    ),
    "a client of a very long name": Refused(
        lambda _: {"data": {**GRANT, "client_id": "x" * 5000, "client_secret": "wrong"}}, 401, "invalid_client"
    ),
    "a client with NUL in its name": Refused(
        lambda _: {"data": {**GRANT, "client_id": "a\0b", "client_secret": "wrong"}}, 401, "invalid_client"
    ),
    "a client whose name is no UTF-8": Refused(
        lambda _: {"data": GRANT, "headers": basic("%FF%FE:wrong")}, 401, "invalid_client", has_challenge=True
    ),
    "nobody at all": Refused(lambda _: {"data": GRANT}, 401, "invalid_client"),
    "a name without a secret": Refused(
        lambda service: {"data": {**GRANT, "client_id": service.client_id}}, 401, "invalid_client"
    ),
    "a public client": Refused(
        lambda service: {"data": {**GRANT, "client_id": service.client_id}},
        401,
        "invalid_client",
        client={"type": "spa", "redirect_uris": ["https://app.example/cb"], "scope": "openid"},
    ),
    "both ways at once": Refused(
        lambda service: {"data": {**GRANT, **service.in_body}, "auth": service.basic}, 400, "invalid_request"
    ),
    "two names": Refused(
        lambda service: {"data": {**GRANT, "client_id": "another"}, "auth": service.basic}, 400, "invalid_request"
    ),
    "a header that is no base64": Refused(
        lambda _: {"data": GRANT, "headers": {"Authorization": "Basic !!!"}}, 401, "invalid_client", has_challenge=True
    ),
    "a header without a colon": Refused(
        lambda _: {"data": GRANT, "headers": basic("nobody")}, 401, "invalid_client", has_challenge=True
    ),
    "a header that is no UTF-8": Refused(
        lambda _: {"data": GRANT, "headers": basic(b"\xff\xfe:\xff")}, 401, "invalid_client", has_challenge=True
    ),
    "an empty header": Refused(
        lambda _: {"data": GRANT, "headers": {"Authorization": "Basic"}}, 401, "invalid_client", has_challenge=True
    ),
    "a bearer token in place of credentials": Refused(
        lambda service: {"data": GRANT, "headers": service.bearer}, 401, "invalid_client"
    ),
    "a secret in the query": Refused(
        lambda service: {"data": GRANT, "params": service.in_body}, 400, "invalid_request"
    ),
    "a secret in the query and again in the header": Refused(
        lambda service: {"data": GRANT, "params": service.in_body, "auth": service.basic}, 400, "invalid_request"
    ),
    "a repeated parameter": Refused(
        raw("grant_type=client_credentials&grant_type=client_credentials"), 400, "invalid_request"
    ),
    "a repeated scope": Refused(
        raw("grant_type=client_credentials&scope=orders:read&scope=orders:write"), 400, "invalid_request"
    ),
    "JSON": Refused(raw('{"grant_type": "client_credentials"}', "application/json"), 415, "invalid_request"),
    "a multipart form": Refused(
        lambda service: {"files": {"grant_type": (None, "client_credentials")}, "auth": service.basic},
        415,
        "invalid_request",
    ),
    "a body of no type": Refused(raw("grant_type=client_credentials", None), 415, "invalid_request"),
    "no body": Refused(raw(b"", None), 400, "invalid_request"),
    "an empty form": Refused(raw(b""), 400, "invalid_request"),
    "a form that is no UTF-8": Refused(raw(b"grant_type=\xff"), 400, "invalid_request"),
    "a form whose escapes are no UTF-8": Refused(raw("grant_type=%FF"), 400, "invalid_request"),
    "a hundred and one fields": Refused(raw("&".join(f"f{n}=1" for n in range(101))), 400, "invalid_request"),
    "no grant_type": Refused(raw("scope=orders:read"), 400, "invalid_request"),
    "an empty grant_type": Refused(raw("grant_type="), 400, "invalid_request"),
    "a grant_type in the query": Refused(
        lambda service: {"params": GRANT, "data": {"scope": ""}, "auth": service.basic}, 400, "invalid_request"
    ),
    "an unknown grant": Refused(raw("grant_type=magic"), 400, "unsupported_grant_type"),
    "the password grant": Refused(raw("grant_type=password&username=a&password=b"), 400, "unsupported_grant_type"),
    "a grant that is not this client's": Refused(
        lambda service: {"data": GRANT, "auth": service.basic},
        400,
        "unauthorized_client",
        client={"type": "web", "redirect_uris": ["https://app.example/cb"]},
    ),
}


@pytest.mark.parametrize("refused", REFUSALS.values(), ids=REFUSALS.keys())
@on_postgresql_alone()
def test_a_request_that_cannot_be_granted_gets_the_error_of_the_standard(world: World, refused: Refused) -> None:
    service = Service.hired(world, **refused.client)

    answer = world.http.post("/oauth/token", **refused.make(service))

    assert answer.status_code == refused.status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error"] == refused.error
    assert set(answer.json()) <= {"error", "error_description"}
    assert ("www-authenticate" in answer.headers) == refused.has_challenge
    if refused.has_challenge:
        assert answer.headers["www-authenticate"].startswith("Basic ")


def test_an_unknown_client_a_wrong_secret_and_a_suspended_client_cannot_be_told_apart(world: World) -> None:
    service, suspended = Service.hired(world), Service.hired(world)
    world.suspend(suspended.credentials)

    attempts = [
        ("nobody", "wrong"),
        (service.client_id, "wrong"),
        (suspended.client_id, suspended.in_body["client_secret"]),
    ]
    by_header = [world.http.post("/oauth/token", data=GRANT, auth=attempt) for attempt in attempts]
    in_body = [
        world.http.post("/oauth/token", data={**GRANT, "client_id": name, "client_secret": secret})
        for name, secret in attempts
    ]

    for answers in (by_header, in_body):
        assert len({answer.status_code for answer in answers}) == 1
        assert len({answer.content for answer in answers}) == 1
        assert len({tuple(sorted(_told(answer))) for answer in answers}) == 1


def test_a_suspended_client_gets_no_token_until_it_is_resumed(world: World) -> None:
    service = Service.hired(world)
    before = service.get_token()
    world.suspend(service.credentials)
    assert service.ask_for_token().status_code == 401

    world.resume(service.credentials)

    assert service.ask_for_token().status_code == 200
    # What died stays dead.
    assert world.http.get("/orders", headers={"Authorization": f"Bearer {before}"}).status_code == 401


def test_a_new_secret_works_at_once_and_the_old_one_still_does(world: World) -> None:
    service = Service.hired(world)
    assert service.ask_for_token().status_code == 200
    new = world.rotate_secret(service.credentials, revoke_old=False)
    assert world.http.post("/oauth/token", data=GRANT, auth=(service.client_id, new)).status_code == 200
    assert service.ask_for_token().status_code == 200


def test_an_old_secret_that_was_revoked_is_dead_at_once(world: World) -> None:
    service = Service.hired(world)
    assert service.ask_for_token().status_code == 200
    new = world.rotate_secret(service.credentials, revoke_old=True)
    assert service.ask_for_token().status_code == 401
    assert world.http.post("/oauth/token", data=GRANT, auth=(service.client_id, new)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_only_post_is_taken(sqlite_world: World, method: str, path: str) -> None:
    answer = sqlite_world.http.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["error"] == "method_not_allowed"


def test_no_error_repeats_what_was_sent(sqlite_world: World) -> None:
    service = Service.hired(sqlite_world)
    sent = "<script>alert(1)</script>"
    for form in ({"grant_type": sent}, {**GRANT, "scope": sent}, {**GRANT, "resource": sent}, {sent: ["a", "b"]}):
        answer = sqlite_world.http.post("/oauth/token", data=form, auth=service.basic)
        assert answer.status_code == 400
        assert "<" not in answer.text


def test_a_secret_in_the_query_does_not_work_even_where_it_is_right(world: World) -> None:
    service = Service.hired(world)
    answer = world.http.post("/oauth/token", params={**GRANT, **service.in_body})
    assert answer.status_code == 400
    assert service.in_body["client_secret"] not in answer.text


def _told(answer: httpx.Response) -> list[str]:
    return [f"{name}: {value}" for name, value in answer.headers.items() if name not in {"date", "x-request-id"}]
