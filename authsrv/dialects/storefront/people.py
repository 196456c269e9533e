"""People and addresses as resources."""

from collections.abc import Mapping
from typing import Any

from authsrv.dialects.storefront.documents import Resource
from authsrv.shop.countries import country_name, three_letters, two_letters
from authsrv.storage.users import User


def user_resource(user: User, completed_orders: int) -> Resource:
    """The person, as far as a shop shows them to themselves; addresses belong to carts here, not to people."""
    first, last = split_name(user)
    attributes: dict[str, Any] = {
        "email": user.email,
        "first_name": first,
        "last_name": last,
        "selected_locale": None,
        "store_credits": 0,
        "completed_orders": completed_orders,
        "public_metadata": {},
    }
    return Resource(
        "user", str(user.id), attributes, {"default_billing_address": None, "default_shipping_address": None}
    )


def split_name(user: User) -> tuple[str, str]:
    """First and last name: as they were given apart, else the last word is the last name."""
    if user.last_name and user.name.endswith(user.last_name):
        return user.name.removesuffix(user.last_name).strip(), user.last_name
    first, _, last = user.name.rpartition(" ")
    return (first, last) if first else (last, "")


def address_resource(identifier: str, address: Mapping[str, str], locale: str) -> Resource:
    """An address of a cart or an order."""
    code = address["country_iso"]
    attributes = {
        "firstname": address.get("firstname") or None,
        "lastname": address.get("lastname") or None,
        "address1": address["address1"],
        "address2": address.get("address2") or None,
        "city": address["city"],
        "zipcode": address["zipcode"],
        "phone": address.get("phone") or None,
        "state_name": address.get("state_name") or None,
        "company": address.get("company") or None,
        "country_name": country_name(code, locale),
        "country_iso3": three_letters(code),
        "country_iso": two_letters(code),
        "state_code": None,
    }
    return Resource("address", identifier, attributes)
