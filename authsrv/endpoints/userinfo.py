"""The userinfo endpoint (OpenID Connect Core 1.0, 5.3)."""

import re
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.subjects import subject_for
from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.id_tokens import Person, claims_about
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from authsrv.web.guard import forbidden, require, unauthorized
from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import runtime_of


@dataclass(frozen=True, slots=True)
class Asked:
    """About whom, and by which client."""

    person: Person
    client: RegisteredClient


async def userinfo(request: Request) -> Response:
    """The claims that the token's scopes let out, as JSON, or signed for a client that registered for it."""
    runtime = runtime_of(request)
    principal = await require(request, "openid", "", needs_store=False)
    user_id, client_id = principal.user_id, principal.client_id
    if user_id is None:
        raise forbidden(runtime, "", "This token does not speak of a person.", "openid")

    def work(unit: Unit) -> Asked | None:
        user, client = find_user_by_id(unit, UUID(user_id)), runtime.server.clients.find(unit, client_id)
        if user is None or client is None:
            return None
        return Asked(Person(user.id, user.email, user.name, user.email_verified_at, user.subject_salt), client)

    asked = await runtime.database.transact(work, read_only=True)
    if asked is None:
        raise unauthorized(runtime, "")
    person, client = asked.person, asked.client
    claims = {
        "sub": subject_for(person.user_id, person.subject_salt, client.sector),
        **claims_about(person, principal.scopes),
    }
    algorithm = client.userinfo_alg or (client.id_token_alg if _wants_jwt(request) else None)
    if algorithm is None:
        return JsonResponse(claims, headers=NO_STORE)
    signed = runtime.server.issuing.id_tokens.sign_claims(client, claims, algorithm, "JWT")
    return Response(signed, headers=NO_STORE, media_type="application/jwt")


def _wants_jwt(request: Request) -> bool:
    """Whether Accept names it, and not with a weight of 0, which means no (RFC 9110, 12.4.2)."""
    for member in request.headers.get("accept", "").lower().split(","):
        media_type, *parameters = [part.strip() for part in member.split(";")]
        if media_type == "application/jwt":
            return not any(re.fullmatch(r"q=0(\.0{0,3})?", parameter) for parameter in parameters)
    return False
