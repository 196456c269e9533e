"""The navigation of a store's pages."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.pages.desk import Desk, Line, show_desk
from authsrv.pages.store.guard import Working
from authsrv.web.templates import redirect


def store_path(prefix: str, suffix: str = "") -> str:
    return f"/store/{prefix}{suffix}"


def show_store(
    request: Request, working: Working, template: str, status: int = 200, *, tab: str, **context: object
) -> Response:
    """A page of the store; it extends `desk.html`."""
    store = working.store
    lines = (
        Line("apps", store_path(store.prefix)),
        Line("customers", store_path(store.prefix, "/customers")),
        Line("staff", store_path(store.prefix, "/staff")),
    )
    own = {"store": store, "base": store_path(store.prefix), "is_owner": working.is_owner}
    return show_desk(
        request, working.person, Desk("store", lines, store.name), template, status, tab=tab, **own, **context
    )


def back_to(request: Request, working: Working, suffix: str, done: str) -> Response:
    """To a page of the store, after an action; `done` is the key of what it says there."""
    return redirect(request, store_path(working.store.prefix, suffix), done=done)
