"""`/developers`: the apps a developer belongs to, or what to do first."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.pages.developers.frame import show, shown_app
from authsrv.pages.developers.guard import developer_page
from authsrv.storage.client_members import list_apps_of
from authsrv.web.runtime import runtime_of


@developer_page
async def show_apps(request: Request, person: SignedIn) -> Response:
    rows = await runtime_of(request).database.transact(lambda unit: list_apps_of(unit, person.user_id), read_only=True)
    apps = [(shown_app(client), role, client.created_at) for client, role in rows]
    return show(request, person, "developers/apps.html", apps=apps)
