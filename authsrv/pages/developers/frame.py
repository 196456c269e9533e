"""The frame that every page of the portal hangs in: its header, an app's navigation, and what was just done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.oauth.registration import status_of
from authsrv.pages.developers.guard import Developing
from authsrv.storage.clients import Client
from authsrv.web.templates import language_of, redirect, render


@dataclass(frozen=True, slots=True)
class Tab:
    """A line of an app's navigation; `path` stands behind `/developers/apps/{app}`."""

    key: str
    path: str = ""


# In the order in which they stand.
TABS = (
    Tab("overview"),
    Tab("credentials", "/credentials"),
    Tab("keys", "/keys"),
    Tab("webhooks", "/webhooks"),
    Tab("usage", "/usage"),
    Tab("settings", "/settings"),
    Tab("events", "/events"),
    Tab("team", "/team"),
    Tab("try", "/try"),
)


@dataclass(frozen=True, slots=True)
class ShownApp:
    """An app as every one of its pages shows it."""

    client_id: str
    name: str
    type: str
    status: str
    logo_url: str | None

    @property
    def path(self) -> str:
        return app_path(self.client_id)

    @property
    def initial(self) -> str:
        return next((letter for letter in self.name if letter.isalnum()), "?").upper()


def shown_app(client: Client) -> ShownApp:
    return ShownApp(client.client_id, client.name, client.type, status_of(client), client.logo_uri)


def app_path(client_id: str, suffix: str = "") -> str:
    """Where a page of an app is, below the issuer."""
    return f"/developers/apps/{client_id}{suffix}"


def show(
    request: Request,
    person: SignedIn,
    template: str,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """A page of the portal that belongs to no app; it extends `developers/portal.html`."""
    return render(request, template, status, headers=headers, person=person, done=_done(request), **context)


def show_app(
    request: Request,
    developing: Developing,
    template: str,
    status: int = 200,
    *,
    tab: str,
    headers: Mapping[str, str] | None = None,
    calls_home: bool = False,
    **context: Any,
) -> Response:
    """A page of an app; it extends `developers/app.html`."""
    app = shown_app(developing.client)
    return show(
        request,
        developing.person,
        template,
        status,
        headers=headers,
        calls_home=calls_home,
        app=app,
        role=developing.role,
        may_act=developing.is_admin,
        tabs=TABS,
        tab=tab,
        **context,
    )


def back_to(
    request: Request, developing: Developing, tab: str, *, done: str | None = None, fragment: str = ""
) -> Response:
    """To a tab of the app, after an action; `done` is the key of what it says there."""
    path = next(one.path for one in TABS if one.key == tab)
    response = redirect(request, app_path(developing.client.client_id, path), done=done)
    if fragment:
        response.headers["location"] += f"#{fragment}"
    return response


def _done(request: Request) -> str | None:
    """What `?done=` says, where we have words for it; anything else is not repeated."""
    key = f"developers.done.{request.query_params.get('done', '')}"
    return language_of(request).texts.get(key)
