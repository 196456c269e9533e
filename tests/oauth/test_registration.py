"""What each kind of client may have (RFC 7591; RFC 8252; RFC 9700)."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsrv.kit.errors import DomainError
from authsrv.kit.signing import export_private, generate_key, public_jwk
from authsrv.oauth.registration import NewClient, create_client, judge_redirect_uri, new_client_id
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from authsrv.storage.clients import find_client
from authsrv.storage.unit import Unit

SCOPES = ScopeCatalogue.read(config_file("scopes.toml"))
CALLBACK = ["https://app.example/callback"]
KEY = generate_key("ES256")

GOOD_ANYWHERE = [
    "https://app.example/callback",
    "https://app.example",
    "https://app.example:8443/callback?a=b&c=%20",
    "http://127.0.0.1/callback",
    "http://127.0.0.1:8080/callback",
    "http://[::1]:8080/callback",
    "http://localhost:3000/callback",
    "https://app.example/a..b/c",
]
BAD_ANYWHERE = [
    "",
    "callback",
    "/callback",
    "//app.example/callback",
    "http://app.example/callback",
    "http://127.0.0.1.example/callback",
    "http://localhost.example/callback",
    "https://",
    "https:///callback",
    "https:callback",
    "https://app.example/callback#",
    "https://app.example/callback#fragment",
    "https://user@app.example/callback",
    "https://user:password@app.example/callback",
    "https://@app.example/callback",
    "https://*.example/callback",
    "https://app.example/*",
    "https://app.example/../callback",
    "https://app.example/callback/..",
    "https://app.example/call back",
    "https://app.example/callback\n",
    " https://app.example/callback",
    "https://app.example/\x00",
    "https://app.example\\@evil.example/",
    "https://äpp.example/callback",
    'https://app.example/"',
    "https://app.example/<script>",
    "https://[::1",
    "https://app.example:99999/callback",
    "https://app.example:port/callback",
    "javascript:alert(1)",
    "data:text/html,hello",
    "file:///etc/passwd",
    "ftp://app.example/callback",
    "urn:ietf:wg:oauth:2.0:oob",
    "myapp://callback",
    "com.example.app:/callback#fragment",
    "com.example.app:/call back",
    "com.example.app:/callback\r\nLocation: x",
    "com.example.app:/*",
]


def is_taken(uri: str, client_type: str) -> bool:
    try:
        judge_redirect_uri(uri, client_type)
    except DomainError:
        return False
    return True


@pytest.mark.parametrize("client_type", ["web", "spa", "native"])
@pytest.mark.parametrize("uri", GOOD_ANYWHERE)
def test_a_url_of_its_own_is_a_redirect_uri(uri: str, client_type: str) -> None:
    assert is_taken(uri, client_type)


@pytest.mark.parametrize("client_type", ["web", "spa", "native"])
@pytest.mark.parametrize("uri", BAD_ANYWHERE, ids=repr)
def test_what_could_leak_a_code_is_no_redirect_uri(uri: str, client_type: str) -> None:
    with pytest.raises(DomainError) as refused:
        judge_redirect_uri(uri, client_type)
    assert refused.value.code == "invalid_redirect_uri"
    assert refused.value.status == 400


@pytest.mark.parametrize("uri", ["com.example.app:/callback", "com.example.app://callback", "org.x-y.app:/"])
def test_a_scheme_of_its_own_is_for_native_apps_alone(uri: str) -> None:
    assert [kind for kind in ("web", "spa", "native") if is_taken(uri, kind)] == ["native"]


@given(
    st.text(max_size=60) | st.text(max_size=40).map(lambda text: f"https://{text}"), st.sampled_from(["web", "native"])
)
def test_no_text_breaks_the_judgement_and_none_that_passes_can_split_a_header(uri: str, client_type: str) -> None:
    with suppress(DomainError):
        judge_redirect_uri(uri, client_type)
        assert uri.isascii()
        assert uri.isprintable()
        assert "#" not in uri
        assert not uri.lower().startswith(("javascript:", "data:"))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a blank name": ({"name": "  "}, "name"),
    "a long name": ({"name": "x" * 201}, "name"),
    "an unknown type": ({"type": "robot"}, "type"),
    "an unknown method": ({"auth_method": "magic"}, "auth_method"),
    "an unknown grant": ({"grant_types": ["password"]}, "grant"),
    "an unknown scope": ({"scope": "orders:read everything"}, "scope"),
    "an unknown store": ({"store": "nowhere"}, "store"),
    "an unknown token format": ({"token_format": "xml"}, "token_format"),
    "an unknown algorithm": ({"signing_alg": "HS256"}, "signing_alg"),
    "an unknown ID token algorithm": ({"id_token_alg": "none"}, "id_token_alg"),
    "an unknown PKCE choice": ({"pkce": "plain"}, "pkce"),
    "a public service": ({"auth_method": "none"}, "grant"),
    "a public client without PKCE": ({"type": "spa", "redirect_uris": CALLBACK, "pkce": "optional"}, "pkce"),
    "a public client that does not rotate": (
        {"type": "spa", "redirect_uris": CALLBACK, "rotates_refresh_tokens": False},
        "refresh_rotation",
    ),
    "a web app without a redirect URI": ({"type": "web"}, "redirect_uri"),
    "a bad URI after signing out": (
        {"type": "web", "redirect_uris": CALLBACK, "post_logout_redirect_uris": ["http://x.example"]},
        "post_logout_redirect_uri",
    ),
    "a bad URI to be told at": ({"backchannel_logout_uri": "http://x.example/told"}, "backchannel_logout_uri"),
    "a URI to be told at that cannot be read": ({"backchannel_logout_uri": "https://[::1"}, "backchannel_logout_uri"),
    "no key for private_key_jwt": ({"auth_method": "private_key_jwt"}, "jwks"),
    "an empty key set": ({"auth_method": "private_key_jwt", "jwks": {"keys": []}}, "jwks"),
    "a key set that is none": ({"jwks": {"keys": [{"kty": "magic"}]}}, "jwks"),
    "a private key": ({"jwks": {"keys": [KEY.as_dict(private=True)]}}, "jwks"),
    "a shared key": ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0IG9mIGEgc3VmZmljaWVudCBsZW5ndGg"}]}}, "jwks"),
    "tokens that live for no time": ({"access_seconds": 0}, "access_ttl"),
    "tokens that live for more than a month": ({"access_seconds": 31 * 86_400 + 1}, "access_ttl"),
    "codes that live for more than ten minutes": ({"code_seconds": 601}, "code_ttl"),
    "a grant that ends before it begins": ({"grant_seconds": -1}, "grant_ttl"),
}


@pytest.mark.parametrize(("values", "field"), REFUSED.values(), ids=REFUSED.keys())
def test_a_client_that_cannot_be_is_refused_by_the_name_of_the_field(
    unit: Unit, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(DomainError) as refused:
        create(unit, **values)
    assert refused.value.status == 400
    assert refused.value.code in {"invalid_client_metadata", "invalid_redirect_uri"}
    assert refused.value.description.startswith(field)
    assert find_client(unit, "app") is None


@pytest.mark.parametrize(
    ("values", "grant_types", "auth_method", "scope"),
    [
        pytest.param({"type": "service"}, ["client_credentials"], None, "orders:read products:read", id="a service"),
        pytest.param(
            {"type": "web", "redirect_uris": CALLBACK},
            ["authorization_code", "refresh_token"],
            None,
            "openid profile email offline_access",
            id="a web app",
        ),
        pytest.param(
            {"type": "spa", "redirect_uris": CALLBACK},
            ["authorization_code", "refresh_token"],
            "none",
            "openid profile email offline_access",
            id="a single-page app",
        ),
        pytest.param(
            {"type": "service", "scope": ""}, ["client_credentials"], None, "", id="a service that wants no scope"
        ),
    ],
)
def test_what_is_not_said_follows_from_the_type(
    unit: Unit, values: dict[str, Any], grant_types: list[str], auth_method: str | None, scope: str
) -> None:
    create(unit, **values)
    client = find_client(unit, "app")
    assert client is not None
    assert client.grant_types == grant_types
    assert client.token_endpoint_auth_method == auth_method
    assert client.scope == scope


def test_a_client_may_bring_its_public_key(unit: Unit) -> None:
    jwks = {"keys": [public_jwk(KEY, "ES256")]}
    create(unit, auth_method="private_key_jwt", jwks=jwks)
    client = find_client(unit, "app")
    assert client is not None
    assert client.jwks == jwks
    assert export_private(KEY).decode() not in str(client.jwks)


def test_client_ids_are_safe_anywhere() -> None:
    class Awkward:
        def token_bytes(self, count: int) -> bytes:
            return b"\xff" * count

        def fraction(self) -> float:
            return 0.0

    made = new_client_id(Awkward())
    assert made.startswith("app_")
    assert made.replace("_", "").replace("-", "").isalnum()


def create(unit: Unit, **values: Any) -> None:
    new = NewClient(**{"name": "An app", "developer": "dev@example.com", "type": "service", **values})
    create_client(unit, new, client_id="app", actor="test", scopes=SCOPES)
