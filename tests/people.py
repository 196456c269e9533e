"""People at a browser, and the apps that log them in."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit
from uuid import uuid4
from weakref import finalize

import httpx

from authsrv.storage.stores import find_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, add_membership, add_user
from tests.support.plain_http import NO_TLS
from tests.support.world import Registered, World

CALLBACK = "https://app.example/callback"


@dataclass
class Form:
    """A form as a browser would send it: hidden fields, ticked boxes, the first radio where one is chosen."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(values.get("action", ""), values.get("method", "get")))
        if not self.forms:
            return
        form, name = self.forms[-1], values.get("name")
        if tag == "button" and name:
            form.buttons.append((name, values.get("value", "")))
        elif tag == "input" and name and "disabled" not in values:
            chosen = values.get("type") not in {"checkbox", "radio"} or "checked" in values
            if chosen:
                form.fields.append((name, values.get("value", "")))


def forms_of(page: httpx.Response) -> list[Form]:
    """The forms on the page."""
    return _Forms(page.text).forms


@dataclass(eq=False)
class Person:
    """Somebody with a browser of their own; follows redirects as long as they stay on our server."""

    world: World
    email: str
    user_id: Any = None
    browser: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.browser = httpx.Client(verify=NO_TLS, base_url=self.world.url, timeout=10)
        finalize(self, self.browser.close)

    @classmethod
    def signed_in(cls, world: World, *, stores: tuple[str, ...] = (), role: str = "customer", name: str = "") -> Self:
        """A person whose browser holds a session already."""
        email = f"{uuid4().hex[:12]}@example.com"

        def work(unit: Unit) -> tuple[User, str]:
            user = add_user(unit, email=email, name=name)
            user.email_verified_at = unit.now()
            unit.session.add(user)
            for prefix in stores:
                store = find_store(unit, prefix)
                assert store is not None
                add_membership(unit, store_id=store.id, user_id=user.id, role=role, customer_id=None)
            cookie, _ = world.runtime.sessions.begin(unit, user, ("otp",), "a browser", "127.0.0.1")
            return user, cookie

        user, cookie = world.transact(work)
        person = cls(world, email, user.id)
        person.browser.cookies.set("authsrv_session", cookie, domain="127.0.0.1")
        return person

    def visit(self, url: str) -> httpx.Response:
        """Where the browser ends up: a page of ours, or the redirect that leaves our server."""
        return self._follow(self.browser.get(url))

    def send(
        self, page: httpx.Response, *, form: int = 0, without: tuple[str, ...] = (), **fields: str
    ) -> httpx.Response:
        """Sends a form of the page, with these fields filled in."""
        wanted = forms_of(page)[form]
        sent = [(name, value) for name, value in wanted.fields if name not in fields and name not in without]
        target = urljoin(str(page.url), wanted.action)
        return self._follow(self.browser.post(target, data=_lists([*sent, *fields.items()])))

    def allow(self, url: str, **fields: Any) -> dict[str, str]:
        """Goes through an app's request and allows it; what the app gets back at its redirect URI."""
        arrived = self.visit(url)
        if not arrived.is_redirect:
            assert arrived.status_code == 200, arrived.text
            arrived = self.send(arrived, **{**fields, "decision": "allow"})
        return answer_in(arrived)

    def _follow(self, response: httpx.Response) -> httpx.Response:
        for _ in range(10):
            if not response.is_redirect:
                return response
            location = urljoin(str(response.url), response.headers["location"])
            if not location.startswith(self.world.url):
                return response
            response = self.browser.get(location)
        raise AssertionError("redirects without end")


def answer_in(response: httpx.Response) -> dict[str, str]:
    """What a redirect carries back to the app."""
    assert response.is_redirect, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def _lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    return parse_qs(urlencode(pairs), keep_blank_values=True)


@dataclass
class App:
    """A third-party app that logs people in."""

    world: World
    credentials: Registered
    is_public: bool
    redirect_uri: str = CALLBACK
    verifier: str = "a-verifier-of-at-least-forty-three-characters-in-all"

    @classmethod
    def registered(cls, world: World, *, kind: str = "web", **values: Any) -> "App":
        """A web app unless told otherwise, with every scope a person can give."""
        own: dict[str, Any] = {"redirect_uris": [CALLBACK], "scope": "openid profile email offline_access orders:read"}
        credentials = world.add_client(type=kind, **{**own, **values})
        public = kind in {"spa", "native"}
        return cls(world, credentials, public, redirect_uri={**own, **values}["redirect_uris"][0])

    @property
    def challenge(self) -> str:
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def authorize_url(self, **changed: str | None) -> str:
        """The link that begins a login; a parameter set to None is left out."""
        wanted: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.credentials.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid offline_access orders:read",
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changed,
        }
        return f"/oauth/authorize?{urlencode({name: value for name, value in wanted.items() if value is not None})}"

    def token(self, http: httpx.Client | None = None, **form: Any) -> httpx.Response:
        """A request to the token endpoint, authenticated as this app does."""
        auth = None if self.is_public else httpx.BasicAuth(self.credentials.client_id, self.credentials.client_secret)
        sent: dict[str, str | None] = {"client_id": self.credentials.client_id if self.is_public else None, **form}
        present = {name: value for name, value in sent.items() if value is not None}
        client = http or self.world.http
        request = client.build_request("POST", "/oauth/token", data=present)
        return client.send(request, auth=auth)

    def redeem(self, granted_code: str, **changed: Any) -> httpx.Response:
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": granted_code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return self.token(**{**form, **changed})

    def refresh(self, refresh_token: str, **form: Any) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **form)

    def log_in(self, person: Person, **changed: str | None) -> dict[str, Any]:
        """The whole flow; what the token endpoint answered."""
        answer = person.allow(self.authorize_url(**changed))
        response = self.redeem(answer["code"])
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens
