"""A point-of-sale app as Vend's document has its makers write it, and the retailers that connect it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.people import Person
from tests.support.world import Registered, World

CALLBACK = "https://till.example/vend/callback"
STATE = "any text the app likes: ä/&?="


@dataclass
class Till:
    """The app. It knows its id, its secret and its redirect URI, and no scopes and no PKCE."""

    world: World
    credentials: Registered

    @classmethod
    def registered(cls, world: World, **values: Any) -> "Till":
        own = {"redirect_uris": [CALLBACK], "scope": "openid profile email offline_access products:read"}
        return cls(world, world.add_client(type="web", name="Till", **{**own, **values}))

    def connect_url(self, **changed: str | None) -> str:
        """Where the document sends the retailer; a parameter set to None is left out."""
        wanted: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.credentials.client_id,
            "redirect_uri": CALLBACK,
            "state": STATE,
            **changed,
        }
        return f"/connect?{urlencode({name: value for name, value in wanted.items() if value is not None})}"

    def ask(
        self, prefix: str, *, query: str = "", headers: dict[str, str] | None = None, **form: Any
    ) -> httpx.Response:
        """A token request on the store's own host, as the document's; a field set to None is left out."""
        own = {"client_id": self.credentials.client_id, "client_secret": self.credentials.client_secret}
        sent = {name: value for name, value in {**own, **form}.items() if value is not None}
        return self.world.http.post(f"/api/1.0/token{query}", data=sent, headers={**at(prefix), **(headers or {})})

    def redeem(self, prefix: str, granted_code: str, **changed: Any) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": granted_code, "redirect_uri": CALLBACK}
        return self.ask(prefix, **{**form, **changed})

    def refresh(self, prefix: str, held_token: str, **changed: Any) -> httpx.Response:
        return self.ask(prefix, **{"grant_type": "refresh_token", "refresh_token": held_token, **changed})

    def connect(self, retailer: Person, prefix: str) -> dict[str, Any]:
        """The whole flow; what the token endpoint answered."""
        answer = retailer.allow(self.connect_url(), store=prefix)
        answered = self.redeem(answer["domain_prefix"], answer["code"])
        assert answered.status_code == 200, answered.text
        tokens: dict[str, Any] = answered.json()
        return tokens

    def get(self, prefix: str, path: str, token: str) -> httpx.Response:
        """A call of the API on the store's own host."""
        return self.world.http.get(path, headers={**at(prefix), "Authorization": f"Bearer {token}"})


def at(prefix: str) -> dict[str, str]:
    """The header with which a request reaches the store's own host."""
    return {"Host": f"{prefix}.localhost"}


def retailer_of(world: World, *prefixes: str, role: str = "owner", name: str = "Nell Retailer") -> Person:
    """Somebody who runs these stores and is signed in."""
    return Person.signed_in(world, stores=prefixes, role=role, name=name)
