"""The API passwords at `/account`: a customer makes one for a store that allows it, sees it once, and revokes it."""

from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.customer_api import ApiPassword, Customer, get_customer, make_password, revoke_password
from authsrv.identity.sessions import SignedIn
from authsrv.pages.account import MadePassword, account_page
from authsrv.storage.unit import Unit
from authsrv.web.once import SentBefore, once_id
from authsrv.web.page import personal, read_page_form
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import redirect


@personal
async def make(request: Request, person: SignedIn) -> Response:
    """A new pair, in this answer and never again; the one before ends."""
    form = await read_page_form(request)
    runtime, secret_id = runtime_of(request), once_id(request, form)

    def work(unit: Unit) -> tuple[Customer, ApiPassword]:
        customer = get_customer(unit, person.email, form.get("store", ""))
        try:
            made = make_password(unit, customer, entropy=runtime.entropy, actor=person.email, secret_id=secret_id)
        except IntegrityError:
            raise SentBefore from None
        return customer, made

    customer, password = await runtime.database.transact(work)
    return await account_page(request, person, name=person.name, made=MadePassword(customer.store_id, password))


@personal
async def revoke(request: Request, person: SignedIn) -> Response:
    """Ends the pair of one store."""
    form = await read_page_form(request)

    def work(unit: Unit) -> bool:
        customer = get_customer(unit, person.email, form.get("store", ""))
        return revoke_password(unit, customer, actor=person.email)

    ended = await runtime_of(request).database.transact(work)
    return redirect(request, "/account", done="password" if ended else "nothing")
