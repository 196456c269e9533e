"""What a store sells, at the prices of who asks: their own where they have some, else the catalogue's."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.storage.catalog import CatalogQuery, count_catalog, list_catalog, list_priced
from authsrv.storage.products import Product
from authsrv.storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Offer:
    """A product, and what one of it costs the person who asks, in minor units of the store's currency."""

    product: Product
    price_minor: int


@dataclass(frozen=True, slots=True)
class OfferPage:
    """A page of the catalogue; `total` counts what is on all pages."""

    offers: tuple[Offer, ...]
    total: int


def list_offers(unit: Unit, store: KnownStore, query: CatalogQuery, *, person: UUID | None) -> OfferPage:
    """One page of what is looked for."""
    total = count_catalog(unit, store.id, query, person)
    found = list_catalog(unit, store.id, query, person) if total > query.offset else []
    return OfferPage(tuple(Offer(*each) for each in found), total)


def get_offer(unit: Unit, store: KnownStore, product_id: str, *, person: UUID | None) -> Offer:
    """The product of this name. Raises `not_found`."""
    found = list_catalog(unit, store.id, CatalogQuery(product_ids=(product_id,), limit=1), person)
    if not found:
        raise DomainError("not_found", 404, "There is no such product.")
    return Offer(*found[0])


def offers_by_id(unit: Unit, store: KnownStore, row_ids: Sequence[UUID], *, person: UUID | None) -> dict[UUID, Offer]:
    """These products by row id."""
    return {row_id: Offer(*each) for row_id, each in list_priced(unit, store.id, row_ids, person).items()}
