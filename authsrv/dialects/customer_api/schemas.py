"""The Customer API's bodies: the order that is taken in, products and orders as they are given out."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from authsrv.kit.errors import DomainError
from authsrv.kit.plain_text import read_lines
from authsrv.shop.catalog import Offer
from authsrv.shop.coded import CodedItem
from authsrv.shop.events import timestamp
from authsrv.shop.money import from_minor
from authsrv.shop.orders import PlacedOrder
from authsrv.shop.payment import payment_status


class _Body(BaseModel):
    # Strict: a quantity of "2" or true is a caller's mistake worth hearing of.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class ProductIn(_Body):
    # Scanners end a code with a line break, which is left out with the spaces.
    code: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(read_lines)]
    quantity: int = Field(ge=1, le=10_000)
    # Where two brands use the same code.
    brand: Annotated[str, Field(max_length=100), AfterValidator(read_lines)] | None = None


class OrderIn(_Body):
    """The body of `POST /api/customer/orders`."""

    products: list[ProductIn] = Field(min_length=1, max_length=100)
    note: Annotated[str, Field(max_length=1000), AfterValidator(read_lines)] = ""


def read_order(body: bytes) -> tuple[list[CodedItem], str]:
    """The products and the note. Raises `invalid_request` naming the field at fault."""
    try:
        order = OrderIn.model_validate_json(body)
    except ValidationError as error:
        raise DomainError("invalid_request", 400, _name_fault(error)) from None
    return [CodedItem(product.code, product.brand, product.quantity) for product in order.products], order.note


def product_out(offer: Offer, currency: str) -> dict[str, Any]:
    """A product with its price for this customer."""
    product = offer.product
    return {
        "_type": "Product",
        "code": product.code,
        "brand": product.brand,
        "name": product.name,
        "price": float(from_minor(offer.price_minor, currency)),
        "currency": currency,
        "available": product.stock > 0,
        "stock": product.stock,
    }


def order_out(placed: PlacedOrder, codes: Mapping[UUID, str]) -> dict[str, Any]:
    """An order; `codes` are those of its products, by row id. The note is there where there is one."""
    order = placed.order
    products = [
        {
            "code": codes.get(line.product_row_id, line.product_id),
            "name": line.name,
            "quantity": line.quantity,
            "price": float(from_minor(line.price_minor, order.currency)),
        }
        for line in placed.lines
    ]
    return {
        "_type": "Order",
        "order_id": str(order.id),
        "created_at": timestamp(order.created_at),
        "payment_status": payment_status(order.payment_method, order.status),
        "processing_status": order.status,
        "total": float(from_minor(order.total_minor, order.currency)),
        "currency": order.currency,
        "products": products,
        **({"note": order.note} if order.note else {}),
    }


def _name_fault(error: ValidationError) -> str:
    """The first fault, as `products[1].quantity: …`."""
    fault = error.errors(include_input=False, include_url=False)[0]
    field = ""
    for part in fault["loc"]:
        field += f"[{part}]" if isinstance(part, int) else f".{part}" if field else str(part)
    if fault["type"] == "missing":
        return f"The {field} parameter is required."
    if not field:
        return "The body must be a JSON object."
    return f"{field}: {fault['msg'].removeprefix('Value error, ')}."
