"""Products and their variants as resources. A product here has one variant, which is what goes into a cart."""

from typing import Any

from authsrv.dialects.storefront.display import plain, shown
from authsrv.dialects.storefront.documents import Name, Resource
from authsrv.shop.catalog import Offer
from authsrv.shop.events import timestamp


def product_resource(offer: Offer, currency: str, locale: str) -> Resource:
    """The product with its variant."""
    product = offer.product
    variant = _variant(offer, currency, locale, Name("product", product.product_id))
    return Resource(
        "product",
        product.product_id,
        _product_attributes(offer, currency, locale),
        {
            "variants": [variant],
            "option_types": [],
            "product_properties": [],
            "taxons": [],
            "images": [],
            "default_variant": variant,
            "primary_variant": variant,
        },
    )


def variant_resource(offer: Offer, currency: str, locale: str) -> Resource:
    """The variant with its product."""
    name = Name("variant", offer.product.product_id)
    product = Resource(
        "product",
        offer.product.product_id,
        _product_attributes(offer, currency, locale),
        {"variants": [name], "images": [], "default_variant": name, "primary_variant": name},
    )
    return _variant(offer, currency, locale, product)


def _product_attributes(offer: Offer, currency: str, locale: str) -> dict[str, Any]:
    product = offer.product
    return {
        "name": product.name,
        "description": None,
        "available_on": timestamp(product.created_at),
        "slug": product.product_id,
        "meta_description": None,
        "meta_keywords": None,
        "updated_at": timestamp(product.updated_at),
        "sku": product.code,
        **_sale(offer, currency, locale),
        "public_metadata": {"brand": product.brand},
    }


def _variant(offer: Offer, currency: str, locale: str, product: Resource | Name) -> Resource:
    attributes = {
        "sku": offer.product.code,
        "is_master": True,
        "options_text": "",
        **_sale(offer, currency, locale),
    }
    return Resource(
        "variant", offer.product.product_id, attributes, {"product": product, "images": [], "option_values": []}
    )


def _sale(offer: Offer, currency: str, locale: str) -> dict[str, Any]:
    is_there = offer.product.stock > 0
    return {
        "purchasable": is_there,
        "in_stock": is_there,
        "backorderable": False,
        "available": is_there,
        "currency": currency,
        "price": plain(offer.price_minor, currency),
        "display_price": shown(offer.price_minor, currency, locale),
        "compare_at_price": None,
        "display_compare_at_price": None,
    }
