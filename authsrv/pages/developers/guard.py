"""Who may see and do what in the portal: members see their app, admins change it, to all others it is not there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.kit.errors import DomainError
from authsrv.storage.client_members import ADMIN, find_app_of
from authsrv.storage.clients import Client
from authsrv.storage.unit import Unit
from authsrv.web.fields import Fields, read_fields, read_upload
from authsrv.web.page import ask_sign_in, page, personal
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import session_cookie

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Developing:
    """A person in the team of an app; `client` is the row as it stood when the request came."""

    person: SignedIn
    client: Client
    role: str

    @property
    def is_admin(self) -> bool:
        return self.role == ADMIN


Handler = Callable[[Request], Awaitable[Response]]
AppPage = Callable[[Request, Developing], Awaitable[Response]]
AppUpload = Callable[[Request, Developing, bytes], Awaitable[Response]]
AppAction = Callable[[Request, Developing, Fields], Awaitable[Response]]


class NoSuchApp(DomainError):
    """There is no such app, or it is not theirs: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__("no_such_app", 404, "There is no such app.")


class AdminsOnly(DomainError):
    """Viewers look."""

    def __init__(self) -> None:
        super().__init__("admins_only", 403, "Only admins of this app may do this.")


developer_page = personal


def app_page(handler: AppPage) -> Handler:
    """A page of an app, for its members. Others: 404; nobody: sign-in, and back."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        developing = await _find_developing(request)
        return developing if isinstance(developing, Response) else await handler(request, developing)

    return page(answer)


def app_action(handler: AppAction) -> Handler:
    """Something that an app's admins do by a form. Viewers: 403."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        developing = await _find_developing(request)
        if isinstance(developing, Response):
            return developing
        refuse_viewer(developing)
        return await handler(request, developing, await read_fields(request))

    return page(answer)


def app_upload(handler: AppUpload) -> Handler:
    """An admin's form with one file, the field `file`."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        developing = await _find_developing(request)
        if isinstance(developing, Response):
            return developing
        refuse_viewer(developing)
        return await handler(request, developing, await read_upload(request))

    return page(answer)


def refuse_viewer(developing: Developing) -> None:
    if not developing.is_admin:
        raise AdminsOnly


async def change_app(request: Request, developing: Developing, change: Callable[[Unit, Client], T]) -> T:
    """Runs `change` in one transaction with the judgement that its person is still an admin of the app."""

    def judged(unit: Unit) -> T:
        found = find_app_of(unit, developing.client.client_id, developing.person.user_id)
        if found is None:
            raise NoSuchApp
        client, role = found
        if role != ADMIN:
            raise AdminsOnly
        return change(unit, client)

    return await runtime_of(request).database.transact(judged)


async def _find_developing(request: Request) -> Developing | Response:
    if session_cookie(request) is None:
        return ask_sign_in(request, "/developers")
    runtime, client_id = runtime_of(request), request.path_params["app"]

    def look(unit: Unit) -> tuple[SignedIn | None, tuple[Client, str] | None]:
        person = runtime.sessions.find(unit, session_cookie(request))
        return person, find_app_of(unit, client_id, person.user_id) if person and "\0" not in client_id else None

    person, found = await runtime.database.transact(look)
    if person is None:
        return ask_sign_in(request, "/developers")
    if found is None:
        raise NoSuchApp
    return Developing(person, *found)
