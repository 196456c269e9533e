"""`/account`: who is signed in, their name, and what they have ordered."""

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.storefront.answers import answer
from authsrv.dialects.storefront.baskets import Basket, basket_of_order, basket_resource
from authsrv.dialects.storefront.bodies import Body, Name, read_body
from authsrv.dialects.storefront.callers import Person, get_person
from authsrv.dialects.storefront.display import locale_of
from authsrv.dialects.storefront.documents import Resource, document, wishes_of
from authsrv.dialects.storefront.paging import beside, read_paging
from authsrv.dialects.storefront.people import split_name, user_resource
from authsrv.dialects.storefront.shop_client import client_id_of
from authsrv.dialects.storefront.voice import Unprocessable
from authsrv.identity.people import name_in_parts
from authsrv.kit.errors import DomainError
from authsrv.shop.catalog import offers_by_id
from authsrv.shop.orders import Listing, count_placed, list_page, reach_of
from authsrv.storage.carts import list_carts_of
from authsrv.storage.unit import Unit
from authsrv.storage.users import User, find_user_by_id
from authsrv.web.runtime import runtime_of
from authsrv.web.store_hosts import get_store, prefix_of

_ORDERS = "/api/v2/storefront/account/orders"


class _User(Body):
    email: str | None = Field(None, max_length=400)
    first_name: Name | None = None
    last_name: Name | None = None


class _Account(Body):
    user: _User = _User()


async def show(request: Request) -> Response:
    return await _respond(request, await get_person(request, "account:read"), None)


async def change(request: Request) -> Response:
    """`PATCH /account`: first and last name, each if it is sent. The address stays: it is what signs the person in."""
    person = await get_person(request, "account:read")
    if person.client_id != client_id_of(prefix_of(request)):
        # No scope lets another app write here; the shop itself needs none.
        raise DomainError("insufficient_scope", 403, "Only the shop itself can change an account.")
    return await _respond(request, person, (await read_body(request, _Account)).user)


async def list_placed(request: Request) -> Response:
    """`GET /account/orders`: what the person has ordered in this store, however they did, the newest first."""
    person = await get_person(request, "orders:read")
    runtime, locale, wishes, paging = (
        runtime_of(request),
        locale_of(request),
        await wishes_of(request),
        read_paging(request),
    )

    def work(unit: Unit) -> tuple[list[Basket], int]:
        store = get_store(runtime, unit, prefix_of(request))
        # Who works here sees all orders elsewhere; these are their own.
        own = reach_of(unit, store, person.user_id).customer_id
        listing = Listing(own, None, None, paging.offset, paging.per_page)
        page = list_page(unit, store, listing, person=person.user_id)
        carts = list_carts_of(unit, [placed.order.id for placed in page.orders])
        ids = {line.product_row_id for placed in page.orders for line in placed.lines}
        offers = offers_by_id(unit, store, list(ids), person=person.user_id)
        email = _get_user(unit, person).email
        baskets = [
            basket_of_order(placed, carts.get(placed.order.id), offers, user_id=person.user_id, email=email)
            for placed in page.orders
        ]
        return baskets, page.total

    baskets, total = await runtime.database.transact(work, read_only=True)
    resources = [basket_resource(basket, locale) for basket in baskets]
    return answer(document(resources, wishes, **beside(request, _ORDERS, paging, len(resources), total)))


async def _respond(request: Request, person: Person, wanted: _User | None) -> Response:
    runtime, wishes = runtime_of(request), await wishes_of(request)

    def work(unit: Unit) -> Resource:
        user = _get_user(unit, person)
        if wanted is not None:
            _rename(unit, user, wanted)
        store = get_store(runtime, unit, prefix_of(request))
        return user_resource(user, count_placed(unit, store, user.id))

    resource = await runtime.database.transact(work, read_only=wanted is None)
    return answer(document(resource, wishes))


def _rename(unit: Unit, user: User, wanted: _User) -> None:
    if wanted.email is not None and wanted.email.strip().lower() != user.email:
        fault = "cannot be changed here"
        raise Unprocessable(f"email {fault}.", {"email": [fault]})
    first, last = split_name(user)
    first = first if wanted.first_name is None else wanted.first_name
    last = last if wanted.last_name is None else wanted.last_name
    name_in_parts(user, first, last)
    user.updated_at = unit.now()
    unit.session.add(user)


def _get_user(unit: Unit, person: Person) -> User:
    user = find_user_by_id(unit, person.user_id)
    if user is None:
        raise DomainError("not_found", 404, "There is no such account.")
    return user
