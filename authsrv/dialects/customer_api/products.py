"""`GET /api/customer/products`: by code, or by brand and code, with availability and the customer's own prices."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.customer_api.answers import CompressedJson
from authsrv.dialects.customer_api.customers import require_customer
from authsrv.dialects.customer_api.schemas import product_out
from authsrv.dialects.customer_api.transport import transported
from authsrv.kit.errors import DomainError
from authsrv.shop.coded import list_coded
from authsrv.storage.unit import Unit
from authsrv.web.runtime import runtime_of


@transported
async def find(request: Request) -> Response:
    """An array: a code is one product's within a brand, and may be several brands'."""
    caller = await require_customer(request, "products:read")
    code, brand = _read(request, "code"), _read(request, "brand")
    if not code:
        raise DomainError("invalid_request", 400, "The code parameter is required.")
    runtime = runtime_of(request)

    def work(unit: Unit) -> list[dict[str, Any]]:
        store, _ = caller.may_call(runtime, unit)
        offers = list_coded(unit, store, code, brand, person=caller.user_id)
        return [product_out(offer, store.currency) for offer in offers]

    return CompressedJson(await runtime.database.transact(work, read_only=True))


def _read(request: Request, name: str) -> str | None:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise DomainError("invalid_request", 400, f"{name} must not be repeated.")
    if any("\0" in value for value in values):
        raise DomainError("invalid_request", 400, f"{name} has a character it cannot have.")
    return values[0] if values else None
