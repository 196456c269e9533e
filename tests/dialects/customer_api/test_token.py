"""The token request of the document: what it takes, what it answers, and the token in the document's own shape."""

import json
from base64 import urlsafe_b64decode
from typing import Any
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from authsrv.kit.identifiers import is_uuid7
from tests.actors import Service
from tests.dialects.customer_api.shopper import TOKEN_PATH, Shopper
from tests.engines import on_postgresql_alone


def part(token: str, place: int) -> dict[str, Any]:
    """Header (0) or claims (1)."""
    text = token.split(".")[place]
    read: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return read


def test_the_request_as_printed_brings_the_answer_as_printed(regular: Shopper) -> None:
    """Sentences 16, 19, 21 and 22, on the store's own host."""
    pair = regular.pair
    form = "&".join(
        (
            "grant_type=client_credentials",
            f"client_id={pair['client_id']}",
            f"client_secret={pair['client_secret']}",
            "scope=all",
        )
    )
    headers = {
        "Host": f"{regular.prefix}.localhost",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept-Encoding": "gzip",
    }
    answer = regular.world.http.post(TOKEN_PATH, content=form, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert list(body) == ["_type", "token_type", "expires_in", "access_token"]
    assert (body["_type"], body["token_type"], body["expires_in"]) == ("AccessToken", "Bearer", 3600)


def test_both_parts_of_the_password_are_uuids(regular: Shopper) -> None:
    """Sentence 21: as in its request."""
    assert {UUID(text).version for text in regular.pair.values()} == {4}


def test_the_token_has_the_claims_of_the_document_and_a_kid(regular: Shopper) -> None:
    """Sentence 22."""
    token = regular.get_token()
    assert {name: part(token, 0)[name] for name in ("typ", "alg")} == {"typ": "JWT", "alg": "RS256"}
    assert set(part(token, 0)) == {"typ", "alg", "kid"}
    claims = part(token, 1)
    assert list(claims) == ["aud", "jti", "iat", "nbf", "exp", "sub", "scopes"]
    assert claims["aud"] == ""
    assert claims["sub"] == regular.pair["client_id"]
    assert claims["nbf"] == claims["iat"] == claims["exp"] - 3600
    assert claims["scopes"] == ["orders:read", "orders:write", "products:read"]
    assert is_uuid7(UUID(claims["jti"]))


def test_anybody_can_check_it_with_the_published_keys(regular: Shopper) -> None:
    keys = KeySet.import_key_set(regular.world.http.get("/oauth/jwks").json())
    read = jwt.decode(regular.get_token(), keys, algorithms=["RS256"])
    assert read.claims["sub"] == regular.pair["client_id"]


def test_other_clients_tokens_keep_their_shape(regular: Shopper) -> None:
    other = Service.hired(regular.world).get_token()
    assert part(other, 0)["typ"] == "at+jwt"
    assert "scopes" not in part(other, 1)


def test_a_repeated_scope_is_no_request(regular: Shopper) -> None:
    path = f"/stores/{regular.prefix}/api/customer/oauth/access-token"
    for second in ("all", "orders:read"):
        form = {"grant_type": "client_credentials", **regular.pair, "scope": ["all", second]}
        refused = regular.world.http.post(path, data=form)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("scope", ["all", ""])
def test_all_and_nothing_ask_for_everything_the_password_may(regular: Shopper, scope: str) -> None:
    """Sentence 19."""
    assert len(part(regular.get_token(scope=scope), 1)["scopes"]) == 3


def test_less_may_be_asked_for_and_no_more(regular: Shopper) -> None:
    assert part(regular.get_token(scope="orders:read"), 1)["scopes"] == ["orders:read"]
    refused = regular.ask_for_token(scope="orders:read account:read")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


def refusal(answer: httpx.Response) -> dict[str, Any]:
    """The body, once it is sure that it has the shape of the document's one example."""
    body: dict[str, Any] = answer.json()
    assert list(body) == ["error", "error_description", "message", "status"]
    assert body["message"] == body["error_description"]
    assert body["status"] == answer.status_code
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return body


WRONG = "164381f6-dcea-46c1-bf8f-f9f22288970c"


@pytest.mark.parametrize(
    "form",
    [{"client_secret": WRONG}, {"client_id": WRONG}, {"client_id": ""}, {"client_secret": ""}, {"client_id": "\0"}],
    ids=["a wrong secret", "nobody's id", "no id", "no secret", "an id that none can be"],
)
@on_postgresql_alone("regular")
def test_a_bad_client_is_refused_to_the_letter(regular: Shopper, form: dict[str, str]) -> None:
    """Sentence 23."""
    answer = regular.ask_for_token(**form)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "invalid_client",
        "error_description": "Client authentication failed",
        "message": "Client authentication failed",
        "status": 401,
    }
    assert list(answer.json()) == ["error", "error_description", "message", "status"]
    assert "www-authenticate" not in answer.headers


def test_who_tries_basic_is_challenged_for_it(regular: Shopper) -> None:
    """RFC 6749, 5.2, where the document is silent."""
    path = f"/stores/{regular.prefix}{TOKEN_PATH}"
    form = {"grant_type": "client_credentials"}
    refused = regular.world.http.post(path, data=form, auth=(regular.pair["client_id"], WRONG))
    assert refusal(refused)["error"] == "invalid_client"
    assert refused.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
    ids=["no grant", "a password", "a refresh", "a code", "a scope that there is not"],
)
@on_postgresql_alone("regular")
def test_what_the_document_does_not_print_is_refused_as_the_standard_says(
    regular: Shopper, form: dict[str, str], error: str
) -> None:
    """Sentence 19; RFC 6749, section 5.2."""
    answer = regular.ask_for_token(**form)
    assert answer.status_code == 400
    assert refusal(answer)["error"] == error


def test_parameters_come_in_the_body_and_nowhere_else(regular: Shopper) -> None:
    """Sentence 20."""
    form = {"grant_type": "client_credentials", **regular.pair, "scope": "all"}
    path, http = f"/stores/{regular.prefix}{TOKEN_PATH}", regular.world.http
    as_json = http.post(path, json=form)
    assert (as_json.status_code, refusal(as_json)["error"]) == (415, "invalid_request")
    untyped = http.post(path, content="grant_type=client_credentials")
    assert (untyped.status_code, refusal(untyped)["error"]) == (415, "invalid_request")
    in_query = http.post(path, params=form)
    assert (in_query.status_code, refusal(in_query)["error"]) == (400, "invalid_request")
    half = http.post(path, params={"grant_type": "client_credentials"}, data=regular.pair)
    assert (half.status_code, refusal(half)["error"]) == (400, "invalid_request")


def test_a_repeated_parameter_is_refused(regular: Shopper) -> None:
    pairs = [("grant_type", "client_credentials"), ("grant_type", "client_credentials"), *regular.pair.items()]
    body = "&".join(f"{name}={value}" for name, value in pairs)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = regular.world.http.post(f"/stores/{regular.prefix}{TOKEN_PATH}", content=body, headers=headers)
    assert (answer.status_code, refusal(answer)["error"]) == (400, "invalid_request")


def test_other_methods_are_refused_in_the_same_voice(regular: Shopper) -> None:
    answer = regular.world.http.get(f"/stores/{regular.prefix}{TOKEN_PATH}")
    assert (answer.status_code, refusal(answer)["error"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_a_large_body_is_refused_in_the_same_voice(regular: Shopper) -> None:
    answer = regular.post_form({"client_id": "x" * 300_000})
    assert (answer.status_code, refusal(answer)["error"]) == (413, "payload_too_large")


def test_a_service_is_no_customer(regular: Shopper) -> None:
    service = Service.hired(regular.world, store=regular.prefix)
    answer = regular.ask_for_token(**service.in_body)
    assert (answer.status_code, refusal(answer)["error"]) == (400, "unauthorized_client")


def test_a_password_is_for_one_store(regular: Shopper) -> None:
    elsewhere = regular.world.add_store().prefix
    path = f"/stores/{elsewhere}{TOKEN_PATH}"
    form = {"grant_type": "client_credentials", **regular.pair}
    answer = regular.world.http.post(path, data=form)
    assert (answer.status_code, refusal(answer)["error"]) == (400, "unauthorized_client")
    # Who does not know the secret is not told where it would work.
    wrong = regular.world.http.post(path, data={**form, "client_secret": WRONG})
    assert (wrong.status_code, refusal(wrong)["error"]) == (401, "invalid_client")


def test_where_there_is_no_store_there_is_no_password(regular: Shopper) -> None:
    """The issuer's host speaks for the default store, and here there is none."""
    answer = regular.world.http.post(TOKEN_PATH, data={"grant_type": "client_credentials", **regular.pair})
    assert (answer.status_code, refusal(answer)["error"]) == (400, "unauthorized_client")
