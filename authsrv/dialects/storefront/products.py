"""`/products`: what the store sells; for who is signed in, at their own prices."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.storefront.answers import answer
from authsrv.dialects.storefront.callers import find_caller
from authsrv.dialects.storefront.display import locale_of
from authsrv.dialects.storefront.documents import document, wishes_of
from authsrv.dialects.storefront.goods import product_resource
from authsrv.dialects.storefront.paging import Paging, beside, read_paging
from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.shop.catalog import Offer, OfferPage, get_offer, list_offers
from authsrv.shop.money import to_minor
from authsrv.storage.catalog import SORTS, CatalogQuery
from authsrv.storage.unit import Unit
from authsrv.web.runtime import runtime_of
from authsrv.web.store_hosts import get_store, prefix_of

_PATH = "/api/v2/storefront/products"
_MOST_NAMED = 100
_LONGEST = 200
_YES_AND_NO = {"true": True, "1": True, "false": False, "0": False}


async def list_all(request: Request) -> Response:
    """`GET /products?filter[…]&sort&page&per_page`."""
    person = await _person(request)
    runtime, locale, wishes, paging = (
        runtime_of(request),
        locale_of(request),
        await wishes_of(request),
        read_paging(request),
    )

    def work(unit: Unit) -> tuple[KnownStore, OfferPage]:
        store = get_store(runtime, unit, prefix_of(request))
        return store, list_offers(unit, store, _read_query(request, store, paging), person=person)

    store, page = await runtime.database.transact(work, read_only=True)
    resources = [product_resource(offer, store.currency, locale) for offer in page.offers]
    return answer(document(resources, wishes, **beside(request, _PATH, paging, len(resources), page.total)))


async def show(request: Request) -> Response:
    """`GET /products/{id}`."""
    person = await _person(request)
    runtime, locale, wishes = runtime_of(request), locale_of(request), await wishes_of(request)

    def work(unit: Unit) -> tuple[KnownStore, Offer]:
        store = get_store(runtime, unit, prefix_of(request))
        return store, get_offer(unit, store, _text(request.path_params["product_id"], "id"), person=person)

    store, offer = await runtime.database.transact(work, read_only=True)
    return answer(document(product_resource(offer, store.currency, locale), wishes))


async def _person(request: Request) -> UUID | None:
    person = await find_caller(request, "products:read")
    return person.user_id if person else None


def _read_query(request: Request, store: KnownStore, paging: Paging) -> CatalogQuery:
    asked = request.query_params
    least, most = _read_prices(asked.get("filter[price]", ""), store)
    return CatalogQuery(
        product_ids=_read_names(asked.get("filter[ids]", ""), "filter[ids]"),
        codes=_read_names(asked.get("filter[skus]", ""), "filter[skus]"),
        name=_text(asked.get("filter[name]", ""), "filter[name]") or None,
        least_price=least,
        most_price=most,
        in_stock=_YES_AND_NO.get(asked.get("filter[in_stock]", "").lower()),
        sort=_read_sort(asked.get("sort", "")),
        offset=paging.offset,
        limit=paging.per_page,
    )


def _read_names(text: str, parameter: str) -> tuple[str, ...]:
    names = tuple(_text(name.strip(), parameter) for name in text.split(",") if name.strip())
    if len(names) > _MOST_NAMED:
        raise DomainError("invalid_parameter", 400, f"{parameter} must not name more than {_MOST_NAMED}.")
    return names


def _read_prices(text: str, store: KnownStore) -> tuple[int | None, int | None]:
    """`10,100`: from, to; either may be left out."""
    least, _, most = text.partition(",")
    try:
        prices = [to_minor(part.strip(), store.currency) if part.strip() else None for part in (least, most)]
    except ValueError:
        raise DomainError("invalid_parameter", 400, "filter[price] must be two prices, as in 10,100.") from None
    return prices[0], prices[1]


def _read_sort(text: str) -> tuple[str, ...]:
    names = tuple("created_at".join(name.strip().rsplit("available_on", 1)) for name in text.split(",") if name.strip())
    for name in names:
        if name.removeprefix("-") not in SORTS:
            raise DomainError(
                "invalid_parameter", 400, f"sort must be of {', '.join(SORTS)}, with - in front for down."
            )
    return names[: len(SORTS)]


def _text(text: str, parameter: str) -> str:
    # PostgreSQL keeps no NUL, so nothing is called so.
    if "\0" in text or len(text) > _LONGEST:
        raise DomainError("invalid_parameter", 400, f"{parameter} cannot be that.")
    return text
