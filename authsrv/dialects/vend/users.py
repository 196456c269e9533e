"""`GET /api/users`: who works in the store, the signed-in retailer first; client libraries ask right after login."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.vend.connect import RESOURCE
from authsrv.dialects.vend.stores import store_of
from authsrv.dialects.vend.voice import dated
from authsrv.identity.principals import Principal
from authsrv.kit.errors import DomainError
from authsrv.storage.store_people import StorePerson, list_staff
from authsrv.storage.unit import Unit
from authsrv.web.guard import require
from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import runtime_of

_OF_EMAIL = frozenset({"email", "account:read"})
_OF_NAME = frozenset({"profile", "account:read"})


@dated
async def list_users(request: Request) -> Response:
    """All of them for an app that was connected here, as its consent page said; else the person of the token alone."""
    principal = await require(request, None, "")
    runtime = runtime_of(request)
    is_connected = runtime.settings.issuer + RESOURCE in principal.audiences

    def work(unit: Unit) -> list[StorePerson]:
        return list_staff(unit, store_of(request, unit).id)

    staff = await runtime.database.transact(work, read_only=True)
    own = [person for person in staff if str(person.user_id) == principal.user_id]
    if not own:
        raise DomainError("access_denied", 403, "This needs a token that acts for somebody who works in the store.")
    if is_connected:
        others = [person for person in staff if person not in own]
        users = [_whole(person) for person in own + others]
    else:
        users = [_within(principal, person) for person in own]
    return JsonResponse({"users": users}, headers=NO_STORE)


def _whole(person: StorePerson) -> dict[str, Any]:
    return {"id": str(person.user_id), "email": person.email, "display_name": person.name}


def _within(principal: Principal, person: StorePerson) -> dict[str, Any]:
    """What the token's scopes show of the person."""
    user = _whole(person)
    if principal.scopes.isdisjoint(_OF_EMAIL):
        user["email"] = None
    if principal.scopes.isdisjoint(_OF_NAME):
        user["display_name"] = None
    return user
