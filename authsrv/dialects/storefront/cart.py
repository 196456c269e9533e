"""`/cart`: made, filled, changed, emptied, joined to a person, dropped."""

from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.storefront.answers import answer, nothing
from authsrv.dialects.storefront.baskets import basket_of_cart, basket_resource
from authsrv.dialects.storefront.bodies import Body, Filled, read_body
from authsrv.dialects.storefront.callers import ORDER_TOKEN_HEADERS, find_caller, get_bearer, get_person
from authsrv.dialects.storefront.display import locale_of
from authsrv.dialects.storefront.documents import Resource, document, wishes_of
from authsrv.dialects.storefront.people import user_resource
from authsrv.dialects.storefront.voice import Unprocessable
from authsrv.identity.stores import KnownStore
from authsrv.kit.errors import DomainError
from authsrv.shop.carts import (
    MOST_OF_ONE,
    FilledCart,
    add_item,
    begin_cart,
    drop_cart,
    empty_cart,
    get_cart,
    join_cart,
    look_into,
    open_cart_token,
    remove_line,
    seal_cart,
    set_quantity,
)
from authsrv.shop.orders import count_placed
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from authsrv.web.runtime import runtime_of
from authsrv.web.store_hosts import get_store, prefix_of

Work = Callable[[Unit, KnownStore], FilledCart]


def _number(value: object) -> object:
    """Clients send numbers as text too."""
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
    return int(str(value)) if is_digits else value


def _name(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Quantity = Annotated[int, Field(ge=1, le=MOST_OF_ONE), BeforeValidator(_number)]
_Id = Annotated[Filled, BeforeValidator(_name)]


class _Item(Body):
    variant_id: _Id
    quantity: _Quantity = 1


class _Quantities(Body):
    line_item_id: _Id | None = None
    variant_id: _Id | None = None
    quantity: _Quantity


class _Guest(Body):
    guest_order_token: Filled | None = None


async def create(request: Request) -> Response:
    """`POST /cart`: 201 with the cart and its token; what a body may say is left unread."""
    person = await find_caller(request, "cart")
    user_id = person.user_id if person else None
    return await respond(request, lambda unit, store: begin_cart(unit, store, user_id), status=201)


async def show(request: Request) -> Response:
    bearer, _ = await get_bearer(request)
    return await respond(request, lambda unit, store: look_into(unit, get_cart(unit, store, bearer)), read_only=True)


async def drop(request: Request) -> Response:
    """`DELETE /cart`: 204; its token opens nothing any more."""
    bearer, _ = await get_bearer(request)
    runtime = runtime_of(request)
    await runtime.database.transact(lambda unit: drop_cart(unit, get_store(runtime, unit, prefix_of(request)), bearer))
    return nothing()


async def empty(request: Request) -> Response:
    bearer, _ = await get_bearer(request)
    return await respond(request, lambda unit, store: empty_cart(unit, store, bearer))


async def add(request: Request) -> Response:
    """`POST /cart/add_item`: so many more of a variant; one, if it does not say."""
    bearer, _ = await get_bearer(request)
    item = await read_body(request, _Item)
    return await respond(request, lambda unit, store: add_item(unit, store, bearer, item.variant_id, item.quantity))


async def change_quantity(request: Request) -> Response:
    """`PATCH /cart/set_quantity`: so many and no more; the line is named by its own id or its variant's."""
    bearer, _ = await get_bearer(request)
    wanted = await read_body(request, _Quantities)
    if wanted.line_item_id is None and wanted.variant_id is None:
        text = "Field required, or variant_id"
        raise Unprocessable(f"line_item_id: {text}", {"line_item_id": [text]})

    def work(unit: Unit, store: KnownStore) -> FilledCart:
        line_id = wanted.line_item_id or _line_of(unit, store, wanted.variant_id or "")
        return set_quantity(unit, store, bearer, line_id, wanted.quantity)

    def _line_of(unit: Unit, store: KnownStore, variant_id: str) -> str:
        items = look_into(unit, get_cart(unit, store, bearer)).items
        found = next((item.line.id for item in items if item.product.product_id == variant_id), None)
        if found is None:
            raise DomainError("not_found", 404, "There is no such line item.")
        return str(found)

    return await respond(request, work)


async def remove(request: Request) -> Response:
    bearer, _ = await get_bearer(request)
    line_id = request.path_params["line_item_id"]
    return await respond(request, lambda unit, store: remove_line(unit, store, bearer, line_id))


async def associate(request: Request) -> Response:
    """`PATCH /cart/associate`: the guest's cart becomes the person's, who proves both with a token of each."""
    person = await get_person(request, "cart")
    text = request.query_params.get("guest_order_token") or (await read_body(request, _Guest)).guest_order_token
    text = text or next((request.headers[name] for name in ORDER_TOKEN_HEADERS if name in request.headers), None)
    if text is None:
        raise Unprocessable("guest_order_token is missing.", {"guest_order_token": ["is missing"]})
    cart_id = open_cart_token(runtime_of(request).sealer, text)
    if cart_id is None:
        raise DomainError("unauthorized", 401, "The order token is none.")
    return await respond(request, lambda unit, store: join_cart(unit, store, cart_id, person.user_id))


async def respond(request: Request, work: Work, *, status: int = 200, read_only: bool = False) -> Response:
    """The document of the cart that `work` leads to, in one transaction."""
    runtime, locale, wishes = runtime_of(request), locale_of(request), await wishes_of(request)

    def run(unit: Unit) -> tuple[FilledCart, Resource | None]:
        store = get_store(runtime, unit, prefix_of(request))
        filled = work(unit, store)
        user = find_user_by_id(unit, filled.cart.user_id) if filled.cart.user_id and wishes.asks("user") else None
        return filled, user_resource(user, count_placed(unit, store, user.id)) if user else None

    filled, user = await runtime.database.transact(run, read_only=read_only)
    token = seal_cart(runtime.sealer, filled.cart.id)
    resource = basket_resource(basket_of_cart(filled, token), locale, user)
    return answer(document(resource, wishes), status)
