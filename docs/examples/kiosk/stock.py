"""`GET /api/kiosk/stock/{product_id}`: how many there are, for a token that may read products."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from authsrv.kit.errors import DomainError
from authsrv.storage.products import list_products_named
from authsrv.storage.unit import Unit
from authsrv.web.guard import require
from authsrv.web.responses import NO_STORE
from authsrv.web.runtime import runtime_of
from authsrv.web.store_hosts import get_store


async def stock(request: Request) -> Response:
    """`A100 12`, and nothing else."""
    principal = await require(request, "products:read", "")
    runtime, name = runtime_of(request), request.path_params["product_id"]

    def work(unit: Unit) -> int:
        store = get_store(runtime, unit, principal.store or "")
        found = list_products_named(unit, store.id, [name]) if "\0" not in name else []
        if not found:
            raise DomainError("not_found", 404, "There is no such product.")
        return found[0].stock

    return PlainTextResponse(f"{name} {await runtime.database.transact(work, read_only=True)}\n", headers=NO_STORE)
