"""`/logos/….png`: the logos of apps, from our own origin; a new one has a new name, so browsers keep it for good."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.storage.client_logos import find_logo
from authsrv.web.runtime import runtime_of


async def serve(request: Request) -> Response:
    """The picture. Raises not_found."""
    logo_id = parse_uuid(request.path_params["logo"])
    found = (
        await runtime_of(request).database.transact(lambda unit: find_logo(unit, logo_id), read_only=True)
        if logo_id
        else None
    )
    if found is None:
        raise DomainError("not_found", 404, "There is nothing at this path.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(found, media_type="image/png", headers=headers)
