"""A store's customers: looked for, and allowed to use the Customer API, one by one or all."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.customer_api import Customer, allow_customer, change_all_customers, withdraw_customer
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.pages.leafing import PAGE, before_of, cut, words_of
from authsrv.pages.store.frame import show_store, store_path
from authsrv.pages.store.guard import Working, change_store, staff_action, store_page
from authsrv.storage.store_people import StorePerson, count_allowed, search_customers
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import redirect


@store_page
async def show(request: Request, working: Working) -> Response:
    words, before, store_id = words_of(request), before_of(request), working.store.id

    def look(unit: Unit) -> tuple[list[StorePerson], int, int]:
        rows = search_customers(unit, store_id, words, before=before, limit=PAGE + 1)
        return rows, *count_allowed(unit, store_id)

    rows, allowed, total = await runtime_of(request).database.transact(look, read_only=True)
    shown, has_more = cut(rows)
    return show_store(
        request,
        working,
        "store/customers.html",
        tab="customers",
        words=words,
        customers=shown,
        has_more=has_more,
        last=shown[-1].membership_id if shown else None,
        allowed=allowed,
        total=total,
    )


@staff_action
async def change(request: Request, working: Working, form: Fields) -> Response:
    """One customer may, or may no longer."""
    user_id, allow, actor = parse_uuid(form.one("customer")), form.one("decision") == "allow", working.person.email

    def work(unit: Unit, store: Store) -> None:
        user = find_user_by_id(unit, user_id) if user_id else None
        if user is None:
            raise DomainError("not_found", 404, "There is no such customer.")
        customer = Customer(user.id, store.id, user.email, store.prefix)
        (allow_customer if allow else withdraw_customer)(unit, customer, actor=actor)

    await change_store(request, working, work, by_staff=True)
    path = store_path(working.store.prefix, "/customers")
    return redirect(request, path, q=form.one("q") or None, done="allowed" if allow else "withdrawn")


@staff_action
async def change_all(request: Request, working: Working, form: Fields) -> Response:
    """All of them, or none."""
    allow, actor = form.one("decision") == "allow", working.person.email
    await change_store(
        request,
        working,
        lambda unit, store: change_all_customers(unit, store, allowed=allow, actor=actor),
        by_staff=True,
    )
    path = store_path(working.store.prefix, "/customers")
    return redirect(request, path, done="all_allowed" if allow else "all_withdrawn")
