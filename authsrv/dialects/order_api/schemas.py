"""The Order API's bodies: what is taken in, checked field by field, and what is given out."""

from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from authsrv.dialects.order_api.fields import Country, Name, Quantity, State, Text, Zip
from authsrv.dialects.order_api.payments import read_receipt
from authsrv.kit.errors import DomainError
from authsrv.shop.events import timestamp
from authsrv.shop.money import from_minor
from authsrv.shop.orders import Change, PlacedOrder, WantedItem, WantedOrder
from authsrv.storage.orders import Order

Status: TypeAlias = Literal["pending", "processing", "shipped", "delivered", "cancelled"]
PaymentMethod: TypeAlias = Literal["credit_card", "paypal"]
ShownMethod: TypeAlias = Literal["credit_card", "paypal", "invoice"]
Event: TypeAlias = Literal["order.created", "order.updated", "order.cancelled"]
OrderId = Annotated[str, Field(description="Names the order.", json_schema_extra={"format": "uuid"})]
Timestamp = Annotated[str, Field(description="RFC 3339, in UTC.", json_schema_extra={"format": "date-time"})]


class _Body(BaseModel):
    # Strict: a quantity of "2" or true is a caller's mistake worth hearing of.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class ItemIn(_Body):
    product_id: Name = Field(description="A product of the store.")
    quantity: Quantity = Field(description="No more than there is in stock.")


class AddressIn(_Body):
    """Where an order goes."""

    street: Text
    city: Text
    state: State = ""
    zip: Zip
    country: Country


class OrderIn(_Body):
    """The body of `POST /orders`."""

    # Only a customer's own token may leave it out, and a schema cannot see the token: whoever always sends it is right.
    model_config = ConfigDict(
        json_schema_extra={"required": ["customer_id", "items", "shipping_address", "payment_method"]}
    )

    customer_id: Name | SkipJsonSchema[None] = Field(
        None, description="Your name for the customer. A customer's own token may leave it out."
    )
    items: list[ItemIn] = Field(min_length=1, max_length=100)
    shipping_address: AddressIn
    payment_method: PaymentMethod
    payment_details: dict[str, Any] | None = Field(
        None,
        description="Of a card: card_number, or brand and last4. Checked for the method; brand and last four digits are"
        " kept, and nothing else.",
    )


class ChangeIn(_Body):
    """The body of `PUT /orders/{order_id}`; it has at least one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["status"], "properties": {"status": {"type": "string"}}},
                {"required": ["shipping_address"], "properties": {"shipping_address": {"type": "object"}}},
            ]
        }
    )

    status: Status | None = None
    shipping_address: AddressIn | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CreatedOut(_Answer):
    """The answer to `POST /orders`."""

    order_id: OrderId
    status: Status
    created_at: Timestamp


class ChangedOut(_Answer):
    """The answer to `PUT` and `DELETE /orders/{order_id}`."""

    order_id: OrderId
    status: Status
    updated_at: Timestamp


class ItemOut(_Answer):
    product_id: str
    quantity: int
    price: float = Field(description="Of one piece, in the store's currency.")


class AddressOut(_Answer):
    street: str
    city: str
    state: str
    zip: str
    country: str


class OrderOut(_Answer):
    """An order as `GET` shows it; one that came in through another API may be paid by invoice."""

    order_id: OrderId
    customer_id: str
    items: list[ItemOut]
    shipping_address: AddressOut
    payment_method: ShownMethod
    status: Status
    created_at: Timestamp
    updated_at: Timestamp


class Fault(_Answer):
    code: str = Field(description="For programs.")
    message: str = Field(description="For people; names the parameter at fault.")


class ErrorOut(_Answer):
    """Every error's body."""

    error: Fault


class ToldOrder(_Answer):
    order_id: OrderId
    status: Status
    updated_at: Timestamp


class EventOut(_Answer):
    """What a webhook is sent."""

    event: Event
    data: ToldOrder


def read_order(body: bytes) -> WantedOrder:
    """The order a caller wants. Raises `invalid_parameter` naming the field at fault."""
    try:
        order = OrderIn.model_validate_json(body)
    except ValidationError as error:
        raise DomainError("invalid_parameter", 400, name_fault(error)) from None
    receipt = read_receipt(order.payment_method, order.payment_details or {})
    return WantedOrder(
        customer_id=order.customer_id,
        items=tuple(WantedItem(item.product_id, item.quantity) for item in order.items),
        shipping_address=order.shipping_address.model_dump(),
        payment_method=order.payment_method,
        payment_brand=receipt.brand,
        payment_last_four=receipt.last_four,
    )


def read_change(body: bytes) -> Change:
    """What an order is to become. Raises `invalid_parameter` naming the field at fault."""
    try:
        change = ChangeIn.model_validate_json(body)
    except ValidationError as error:
        raise DomainError("invalid_parameter", 400, name_fault(error)) from None
    if change.status is None and change.shipping_address is None:
        raise DomainError("invalid_parameter", 400, "status or shipping_address is required.")
    address = change.shipping_address.model_dump() if change.shipping_address else None
    return Change(change.status, address)


def created(order: Order) -> dict[str, Any]:
    """The answer to `POST /orders`."""
    return CreatedOut(
        order_id=str(order.id), status=cast("Status", order.status), created_at=timestamp(order.created_at)
    ).model_dump()


def changed(order: Order) -> dict[str, Any]:
    """The answer to `PUT` and `DELETE`."""
    return ChangedOut(
        order_id=str(order.id), status=cast("Status", order.status), updated_at=timestamp(order.updated_at)
    ).model_dump()


def whole(placed: PlacedOrder) -> dict[str, Any]:
    """An order as `GET` shows it."""
    order = placed.order
    items = [
        ItemOut(
            product_id=line.product_id,
            quantity=line.quantity,
            price=float(from_minor(line.price_minor, order.currency)),
        )
        for line in placed.lines
    ]
    return OrderOut(
        order_id=str(order.id),
        customer_id=order.customer_id,
        items=items,
        shipping_address=AddressOut(**order.shipping_address),
        payment_method=cast("ShownMethod", order.payment_method),
        status=cast("Status", order.status),
        created_at=timestamp(order.created_at),
        updated_at=timestamp(order.updated_at),
    ).model_dump()


def name_fault(error: ValidationError) -> str:
    """The first fault, as `items[1].quantity …`, without the value: it may be a card number."""
    fault = error.errors(include_input=False, include_url=False)[0]
    field = ""
    for part in fault["loc"]:
        # Which of several types was tried (`literal['pending',…]`) is no field of the caller's.
        if isinstance(part, str) and not part.isidentifier():
            continue
        field += f"[{part}]" if isinstance(part, int) else f".{part}" if field else str(part)
    if fault["type"] == "missing":
        return f"The {field} parameter is required."
    if fault["type"] == "json_invalid":
        return "The body is not valid JSON."
    if not field:
        return "The body must be a JSON object."
    return f"{field}: {fault['msg'].removeprefix('Value error, ')}."
