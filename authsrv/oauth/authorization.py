"""Judging an authorization request: the rules in their order, each with its error (RFC 6749, 4.1.1; OIDC Core 3.1.2).

The client and its redirect URI are proven first; until then a fault is shown to the person and never sent anywhere.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.id_tokens import ACR, scopes_for_claims
from authsrv.oauth.manners import STANDARD_MANNER, Manner
from authsrv.oauth.scopes import ScopeCatalogue, split_scope

RESPONSE_MODES = ("query", "form_post")
PROMPTS = ("none", "login", "consent", "select_account")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LONGEST_VALUE = 2000
# The column it is kept in has no room for more.
_LONGEST_OF = {"nonce": 512}
# RFC 8252, 7.3: any port, for the addresses; `localhost` may resolve to somebody else.
_LOOPBACK = re.compile(
    r"(?P<host>http://(127\.0\.0\.1|\[::1\]))(:(?P<port>[1-9][0-9]{0,4}))?(?P<rest>([/?].*)?)", re.DOTALL
)
_LAST_PORT = 65_535


class UnprovenRequest(Exception):
    """Client or redirect URI cannot be trusted: shown as a page, `reason` names the text, nothing is redirected."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AuthorizationRefused(Exception):
    """Goes back to the client (RFC 6749, 4.1.2.1)."""

    def __init__(self, error: str, description: str, back: "WayBack") -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.back = back


class PersonSaidNo(AuthorizationRefused):
    """The person was asked and did not allow it."""

    def __init__(self, description: str, back: "WayBack") -> None:
        super().__init__("access_denied", description, back)


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where the answer goes, however it turns out, and in which manner."""

    redirect_uri: str
    response_mode: str
    state: str | None
    manner: Manner = STANDARD_MANNER


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that is in order. `scopes` are those asked for, the client's own where it named none."""

    client: RegisteredClient
    back: WayBack
    scopes: tuple[str, ...]
    code_challenge: str | None
    nonce: str | None
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str | None
    ui_locales: str | None
    claims: dict[str, Any] | None
    resources: tuple[str, ...]
    # As sent, to be judged again after sign-in and consent.
    parameters: tuple[tuple[str, str], ...]

    @property
    def sent_redirect_uri(self) -> str | None:
        """The redirect URI if the request had one: then the token request must have it too (RFC 6749, 4.1.3)."""
        return next((value for name, value in self.parameters if name == "redirect_uri" and value), None)

    @property
    def wanted_subject(self) -> str | None:
        """The one person, by their `sub`, about whom the client wants an ID token (OIDC Core 3.1.2.1 and 5.5.1)."""
        sub = ((self.claims or {}).get("id_token") or {}).get("sub")
        value = sub.get("value") if isinstance(sub, dict) else None
        return value if isinstance(value, str) and "openid" in self.scopes else None

    def must_ask(self) -> bool:
        """Whether consent is asked for although it was given before."""
        client = self.client
        # RFC 8252, 8.6: a native app cannot prove that it is the one that was allowed.
        # OIDC Core 11: offline access of a client that cannot authenticate is asked for each time.
        offline = client.is_public and {"openid", "offline_access"} <= set(self.scopes)
        return client.type == "native" or "consent" in self.prompt or offline

    def wants_refresh_token(self, granted: Sequence[str]) -> bool:
        """Whether the code brings a refresh token: with `openid` only if offline access was granted."""
        if not self.client.check_grant_type("refresh_token"):
            return False
        if self.back.manner.always_refreshes:
            # Unless the person was asked for it and said no.
            return "offline_access" in granted or "offline_access" not in self.scopes
        return "offline_access" in granted or "openid" not in granted


class AuthorizationRules:
    """The judge. Knows the scopes and the resources there are; asks the database nothing."""

    def __init__(self, scopes: ScopeCatalogue, resources: frozenset[str]) -> None:
        self._scopes = scopes
        self._resources = resources

    def prove_client(
        self,
        pairs: Sequence[tuple[str, str]],
        find: Callable[[str], RegisteredClient | None],
        *,
        own_uri: str | None = None,
    ) -> tuple[RegisteredClient, str]:
        """The client and the redirect URI the answer may go to. Raises UnprovenRequest.

        `own_uri` is one of this server's own that the door vouches for, beside those registered.
        """
        client_ids = _values(pairs, "client_id")
        client = find(client_ids[0]) if len(client_ids) == 1 else None
        if client is None or client.is_suspended or not client.check_grant_type("authorization_code"):
            raise UnprovenRequest("suspended_client" if client and client.is_suspended else "unknown_client")
        uris = _values(pairs, "redirect_uri")
        if len(uris) > 1:
            raise UnprovenRequest("redirect_uri_mismatch")
        if not uris:
            # RFC 6749, 3.1.2.3: may be left out where exactly one is registered.
            if len(client.redirect_uris) != 1:
                raise UnprovenRequest("redirect_uri_missing")
            return client, client.redirect_uris[0]
        is_registered = any(_is_same_uri(uris[0], registered, client.type) for registered in client.redirect_uris)
        if not is_registered and uris[0] != own_uri:
            raise UnprovenRequest("redirect_uri_mismatch")
        return client, uris[0]

    def judge(
        self,
        pairs: Sequence[tuple[str, str]],
        client: RegisteredClient,
        redirect_uri: str,
        manner: Manner = STANDARD_MANNER,
    ) -> AuthorizationRequest:
        """The request, if it is in order. Raises AuthorizationRefused with the first rule that it breaks."""
        values = {name: value for name, value in reversed(pairs) if value}
        back = _way_back(values, redirect_uri, manner)

        def refuse(error: str, description: str) -> AuthorizationRefused:
            return AuthorizationRefused(error, description, back)

        self._judge_form(pairs, values, refuse)
        code_challenge = _judge_challenge(values, client, manner, refuse)
        claims = _read_claims(values.get("claims"), refuse)
        resources = tuple(dict.fromkeys(_values(pairs, "resource")))
        if not self._resources.issuperset(resources):
            raise refuse("invalid_target", "The requested resource is unknown.")
        return AuthorizationRequest(
            client=client,
            back=back,
            scopes=self._judge_scopes(values.get("scope"), client, claims, refuse),
            code_challenge=code_challenge,
            nonce=values.get("nonce"),
            prompt=_read_prompt(values.get("prompt"), refuse),
            max_age=_read_max_age(values.get("max_age"), refuse),
            login_hint=values.get("login_hint"),
            ui_locales=values.get("ui_locales"),
            claims=claims,
            resources=resources,
            parameters=tuple(pairs),
        )

    def _judge_form(self, pairs: Sequence[tuple[str, str]], values: Mapping[str, str], refuse: "_Refuse") -> None:
        # RFC 6749, 3.1: no parameter twice; RFC 8707, 2: but `resource`.
        for name in values:
            if name != "resource" and len(_values(pairs, name)) > 1:
                raise refuse("invalid_request", "A parameter is repeated.")
        if any(len(value) > _LONGEST_OF.get(name, _LONGEST_VALUE) for name, value in values.items()):
            raise refuse("invalid_request", "A parameter is too long.")
        if any("\0" in value for value in values.values()):
            raise refuse("invalid_request", "A parameter has a character it cannot have.")
        # OIDC Core 6.1 and 6.2: what is not supported is said.
        for name in ("request", "request_uri"):
            if name in values:
                raise refuse(f"{name}_not_supported", f"The parameter {name} is not supported.")
        response_type = values.get("response_type")
        if response_type is None:
            raise refuse("invalid_request", "Parameter response_type is missing.")
        if response_type != "code":
            raise refuse("unsupported_response_type", "The only response_type is code.")
        if values.get("response_mode", "query") not in RESPONSE_MODES:
            raise refuse("invalid_request", "The response_mode is not supported.")

    def _judge_scopes(
        self, scope: str | None, client: RegisteredClient, claims: Mapping[str, Any] | None, refuse: "_Refuse"
    ) -> tuple[str, ...]:
        allowed = self._scopes.for_people(client.scopes)
        asked = split_scope(scope) or allowed
        if not set(asked) <= set(allowed):
            raise refuse("invalid_scope", "The client may not ask for one of these scopes.")
        if not asked:
            raise refuse("invalid_scope", "The client has no scope to ask for.")
        by_claims = [name for name in scopes_for_claims(claims) if name in allowed] if "openid" in asked else []
        return tuple(dict.fromkeys([*asked, *by_claims]))


def with_parameters(uri: str, parameters: Sequence[tuple[str, str]]) -> str:
    """The URI with these in its query, behind what that has already, which stays to the letter (RFC 6749, 3.1.2)."""
    if not parameters:
        return uri
    joint = "?" if "?" not in uri else "" if uri.endswith(("?", "&")) else "&"
    return f"{uri}{joint}{urlencode(parameters)}"


_Refuse = Callable[[str, str], AuthorizationRefused]


def _values(pairs: Sequence[tuple[str, str]], wanted: str) -> list[str]:
    """All values of a parameter; one without a value counts as absent (RFC 6749, 3.1)."""
    return [value for name, value in pairs if name == wanted and value]


def _way_back(values: Mapping[str, str], redirect_uri: str, manner: Manner) -> WayBack:
    mode = values.get("response_mode")
    return WayBack(redirect_uri, "form_post" if mode == "form_post" else "query", values.get("state"), manner)


def _judge_challenge(
    values: Mapping[str, str], client: RegisteredClient, manner: Manner, refuse: _Refuse
) -> str | None:
    """RFC 7636, 4.3 and 4.4.1; `plain` is refused (RFC 9700, 2.1.1)."""
    challenge, method = values.get("code_challenge"), values.get("code_challenge_method")
    if not manner.needs_pkce and client.is_public:
        raise refuse("unauthorized_client", "Only a client that authenticates may ask in this way.")
    if challenge is None:
        if client.requires_pkce and manner.needs_pkce:
            raise refuse("invalid_request", "Parameter code_challenge is missing: PKCE is required.")
        if method is not None:
            raise refuse("invalid_request", "code_challenge_method without code_challenge.")
        return None
    if method != "S256":
        raise refuse("invalid_request", "code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise refuse("invalid_request", "Parameter code_challenge is malformed.")
    return challenge


def _read_prompt(text: str | None, refuse: _Refuse) -> frozenset[str]:
    prompt = frozenset((text or "").split(" ")) - {""}
    if not prompt <= set(PROMPTS):
        raise refuse("invalid_request", "The prompt is not supported.")
    if "none" in prompt and len(prompt) > 1:
        # OIDC Core 3.1.2.1
        raise refuse("invalid_request", "prompt=none stands alone.")
    return prompt


def _read_max_age(text: str | None, refuse: _Refuse) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise refuse("invalid_request", "max_age must be a number of seconds.")
    return int(text)


def _read_claims(text: str | None, refuse: _Refuse) -> dict[str, Any] | None:
    """OIDC Core 5.5; what is asked for beyond what there is, is ignored."""
    if text is None:
        return None
    try:
        claims = orjson.loads(text)
    except orjson.JSONDecodeError:
        claims = None
    if not isinstance(claims, dict):
        raise refuse("invalid_request", "claims must be a JSON object.")
    # Other members are ignored, whatever they are.
    parts = {name: claims[name] for name in ("userinfo", "id_token") if claims.get(name) is not None}
    if not all(isinstance(part, dict) for part in parts.values()):
        raise refuse("invalid_request", "userinfo and id_token in claims must be JSON objects.")
    acr = parts.get("id_token", {}).get("acr")
    if isinstance(acr, dict) and acr.get("essential") is True:
        wanted = acr.get("values", [acr["value"]] if "value" in acr else [])
        if wanted and not (isinstance(wanted, list) and ACR in wanted):
            # OIDC Core 5.5.1.1: not met is failed.
            raise refuse("unmet_authentication_requirements", f"The only acr there is, is {ACR}.")
    return parts


def _is_same_uri(uri: str, registered: str, client_type: str) -> bool:
    """Exact comparison (RFC 9700, 2.1); a native app's loopback address may come with any port (RFC 8252, 7.3)."""
    if uri == registered:
        return True
    own = _without_port(registered) if client_type == "native" else None
    return own is not None and _without_port(uri) == own


def _without_port(uri: str) -> str | None:
    """A loopback URI with the port cut out of its text, since reading it as a URL loses line breaks and empty parts."""
    parts = _LOOPBACK.fullmatch(uri)
    if parts is None or int(parts["port"] or 1) > _LAST_PORT:
        return None
    return f"{parts['host']}{parts['rest']}"
