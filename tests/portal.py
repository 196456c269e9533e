"""Developers at the portal: what they do there reads as they would tell it."""

import html
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx

from authsrv.storage.client_members import add_member
from authsrv.storage.clients import Client, find_client
from authsrv.storage.unit import Unit
from tests.people import Person
from tests.support.world import World

URI = "https://parcels.example/back"


class _Fields(HTMLParser):
    """The forms of a page with all they would send, by the path they are sent to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, list[tuple[str, str]]] = {}
        self._form: list[tuple[str, str]] = []
        self._area: str | None = None
        self._select: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name = values.get("name", "")
        if tag == "form":
            path = values.get("action", "").partition("#")[0]
            self._form = self.forms.setdefault(path, [])
        elif tag == "input" and name and "disabled" not in values:
            if values.get("type") not in {"checkbox", "radio"} or "checked" in values:
                self._form.append((name, values.get("value", "")))
        elif tag == "textarea":
            self._area = name
            self._form.append((name, ""))
        elif tag == "select" and "disabled" not in values:
            self._select = name
        elif tag == "option" and self._select and ("selected" in values or self._select not in dict(self._form)):
            self._form[:] = [pair for pair in self._form if pair[0] != self._select]
            self._form.append((self._select, values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area:
            # HTML drops the line end that a text area begins with.
            self._form[-1] = (self._area, self._form[-1][1] + data.removeprefix("\n"))


def fields_of(page: httpx.Response, path: str) -> list[tuple[str, str]]:
    """What the form that is sent to this path would send as it stands."""
    return _Fields(page.text).forms[path]


@dataclass
class Made:
    """An app as its developer holds it after making it."""

    client_id: str
    secret: str
    page: httpx.Response

    @property
    def path(self) -> str:
        return f"/developers/apps/{self.client_id}"


@dataclass(eq=False)
class Developer(Person):
    """Somebody with an account at the portal and a browser."""

    def submit(self, page: httpx.Response, path: str, **typed: Any) -> httpx.Response:
        """Sends the page's form for this path, with what was typed; a list ticks several boxes."""
        kept = [(name, value) for name, value in fields_of(page, path) if name not in typed]
        for name, value in typed.items():
            kept += [(name, one) for one in (value if isinstance(value, list) else [value])]
        lists: dict[str, list[str]] = {}
        for name, value in kept:
            lists.setdefault(name, []).append(value)
        return self._follow(self.browser.post(path, data=lists))

    def do(self, app: Made, act: str, *, at: str = "/settings", **typed: Any) -> httpx.Response:
        """What an action of the app answers, sent with the token of one of its pages."""
        token = token_in(self.visit(app.path + at))
        return self._follow(self.browser.post(app.path + act, data={"csrf_token": token, **typed}))

    def upload(self, app: Made, content: bytes, name: str) -> httpx.Response:
        """Sends a picture as the app's logo."""
        token = token_in(self.visit(f"{app.path}/settings"))
        files = {"file": (name, content)}
        return self._follow(self.browser.post(f"{app.path}/logo", data={"csrf_token": token}, files=files))

    def create(self, **typed: Any) -> Made:
        """An app; a web app unless told otherwise."""
        wanted = {"name": "Parcels", "type": "web", "redirect_uris": URI, "scope": ["openid", "orders:read"], **typed}
        page = self.submit(self.visit("/developers/new"), "/developers/new", **wanted)
        assert page.status_code == 200, page.text
        return made_in(page)


def made_in(page: httpx.Response) -> Made:
    """What the page that follows an app's making shows."""
    copied = [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', page.text)]
    client_id = next(text for text in copied if text.startswith("app_"))
    return Made(client_id, next((text for text in copied if text.startswith("cs_")), ""), page)


def token_in(page: httpx.Response) -> str:
    """The token of the page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def row_of(world: World, client_id: str) -> Client:
    """The app's row."""
    client = world.transact(lambda unit: find_client(unit, client_id))
    assert client is not None
    return client


def join(world: World, app: Made, person: Person, role: str) -> None:
    """Puts somebody into the team of an app."""
    row_id: UUID = row_of(world, app.client_id).id

    def work(unit: Unit) -> bool:
        return add_member(unit, client_row_id=row_id, user_id=person.user_id, role=role)

    assert world.transact(work)


def basic(app: Made) -> dict[str, str]:
    """The app's credentials as a header."""
    return {"Authorization": "Basic " + urlsafe_b64encode(f"{app.client_id}:{app.secret}".encode()).decode()}
