"""Who may see a store's pages: who works there. Owners decide; to customers and strangers it is not there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.kit.errors import DomainError
from authsrv.storage.store_people import find_workplace
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import OWNER
from authsrv.web.fields import Fields, read_fields
from authsrv.web.page import ask_sign_in, page
from authsrv.web.runtime import runtime_of
from authsrv.web.sessions import session_cookie

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Working:
    """A person who works in a store, as it stood when the request came."""

    person: SignedIn
    store: Store
    role: str

    @property
    def is_owner(self) -> bool:
        return self.role == OWNER


Handler = Callable[[Request], Awaitable[Response]]
StorePage = Callable[[Request, Working], Awaitable[Response]]
StoreAction = Callable[[Request, Working, Fields], Awaitable[Response]]


class NoSuchStore(DomainError):
    """There is no such store, or they do not work there: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__("no_such_store", 404, "There is no such store.")


class OwnersOnly(DomainError):
    """Staff look after customers; the rest is the owner's."""

    def __init__(self) -> None:
        super().__init__("owners_only", 403, "Only owners of this store may do this.")


def store_page(handler: StorePage) -> Handler:
    """A page for who works in the store. Others: 404; nobody: sign-in, and back."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        working = await _find_working(request)
        return working if isinstance(working, Response) else await handler(request, working)

    return page(answer)


def staff_action(handler: StoreAction) -> Handler:
    """Something that whoever works in the store does by a form."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        working = await _find_working(request)
        if isinstance(working, Response):
            return working
        return await handler(request, working, await read_fields(request))

    return page(answer)


def owner_action(handler: StoreAction) -> Handler:
    """Something that the store's owners do by a form. Staff: 403."""

    async def judged(request: Request, working: Working, form: Fields) -> Response:
        if not working.is_owner:
            raise OwnersOnly
        return await handler(request, working, form)

    return wraps(handler)(staff_action(judged))


async def change_store(
    request: Request, working: Working, change: Callable[[Unit, Store], T], *, by_staff: bool = False
) -> T:
    """Runs `change` in one transaction with the judgement that the person still may."""

    def judged(unit: Unit) -> T:
        found = find_workplace(unit, working.person.user_id, working.store.prefix)
        if found is None:
            raise NoSuchStore
        store, role = found
        if role != OWNER and not by_staff:
            raise OwnersOnly
        return change(unit, store)

    return await runtime_of(request).database.transact(judged)


async def _find_working(request: Request) -> Working | Response:
    runtime, prefix, cookie = runtime_of(request), request.path_params["prefix"], session_cookie(request)

    def look(unit: Unit) -> tuple[SignedIn | None, tuple[Store, str] | None]:
        person = runtime.sessions.find(unit, cookie)
        return person, find_workplace(unit, person.user_id, prefix) if person and "\0" not in prefix else None

    person, found = await runtime.database.transact(look) if cookie else (None, None)
    if person is None:
        return ask_sign_in(request, "/store")
    if found is None:
        raise NoSuchStore
    return Working(person, *found)
