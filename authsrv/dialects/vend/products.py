"""`GET /api/products/{id}` and the paged `GET /api/products`: both answer an array under `products`."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.vend.stores import store_of
from authsrv.dialects.vend.voice import dated
from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.shop.money import from_minor
from authsrv.storage.products import Product, count_products, list_products_from, list_products_named
from authsrv.storage.unit import Unit
from authsrv.web.guard import require
from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import runtime_of

_SCOPE = "products:read"
_LARGEST_PAGE = 200
_PAGE_SIZE = 50
_LAST_PAGE = 100_000


@dated
async def read(request: Request) -> Response:
    """One product by its id."""
    await require(request, _SCOPE, "")
    name = request.path_params["product_id"]

    def work(unit: Unit) -> dict[str, Any]:
        store = store_of(request, unit)
        found = list_products_named(unit, store.id, [name]) if "\0" not in name else []
        if not found:
            raise DomainError("not_found", 404, "There is no such product.")
        return {"products": [_worded(store, product) for product in found]}

    return JsonResponse(await runtime_of(request).database.transact(work, read_only=True), headers=NO_STORE)


@dated
async def list_all(request: Request) -> Response:
    """The store's products by id, `page_size` at a time."""
    await require(request, _SCOPE, "")
    page = _read_number(request, "page", 1, _LAST_PAGE)
    size = _read_number(request, "page_size", _PAGE_SIZE, _LARGEST_PAGE)

    def work(unit: Unit) -> dict[str, Any]:
        store = store_of(request, unit)
        found = list_products_from(unit, store.id, offset=(page - 1) * size, limit=size)
        count = count_products(unit, store.id)
        pages = {"results": count, "page": page, "page_size": size, "pages": -(-count // size)}
        return {"products": [_worded(store, product) for product in found], "pagination": pages}

    return JsonResponse(await runtime_of(request).database.transact(work, read_only=True), headers=NO_STORE)


def _read_number(request: Request, name: str, usual: int, largest: int) -> int:
    texts = request.query_params.getlist(name)
    if not texts:
        return usual
    text = texts[0]
    if len(texts) > 1 or not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= largest):
        raise DomainError("invalid_request", 400, f"{name} must be a number from 1 to {largest}.")
    return int(text)


def _worded(store: KnownStore, product: Product) -> dict[str, Any]:
    return {
        "id": product.product_id,
        "name": product.name,
        "sku": product.code,
        "brand_name": product.brand,
        "price": float(from_minor(product.price_minor, store.currency)),
        "currency": store.currency,
        "inventory": [{"outlet_name": store.name, "count": product.stock}],
        "updated_at": product.updated_at.strftime("%Y-%m-%d %H:%M:%S"),
    }
