"""Products by the code that is printed on them, which is one product's within a brand."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.shop.catalog import Offer
from authsrv.shop.orders import WantedItem
from authsrv.storage.prices import list_prices_for
from authsrv.storage.products import Product, list_products_coded
from authsrv.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class CodedItem:
    """So many of a product; the brand is needed where several have the code."""

    code: str
    brand: str | None
    quantity: int


def list_coded(unit: Unit, store: KnownStore, code: str, brand: str | None, *, person: UUID) -> list[Offer]:
    """The store's products with this code, of this brand if one is named, at the person's own prices."""
    products = [product for product in list_products_coded(unit, store.id, [code]) if _is_of(product, brand)]
    own = list_prices_for(unit, store.id, person, [product.id for product in products])
    return [Offer(product, own.get(product.id, product.price_minor)) for product in products]


def items_of(unit: Unit, store: KnownStore, wanted: Sequence[CodedItem]) -> tuple[WantedItem, ...]:
    """The same items under the store's own names. Raises `invalid_parameter` for a code that names none, or several."""
    known: dict[str, list[Product]] = {}
    for product in list_products_coded(unit, store.id, {item.code for item in wanted}):
        known.setdefault(product.code, []).append(product)
    return tuple(
        WantedItem(_the_one(known.get(item.code, []), item, position), item.quantity)
        for position, item in enumerate(wanted)
    )


def _the_one(products: Sequence[Product], item: CodedItem, position: int) -> str:
    meant = [product for product in products if _is_of(product, item.brand)]
    if len(meant) == 1:
        return meant[0].product_id
    fault = "is of several brands: name the brand too" if meant else "is not a product of this store"
    raise DomainError("invalid_parameter", 400, f"items[{position}].code {fault}.")


def _is_of(product: Product, brand: str | None) -> bool:
    return not brand or product.brand.casefold() == brand.casefold()
