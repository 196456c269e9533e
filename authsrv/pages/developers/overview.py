"""An app at a glance: where it stands, and what to do next."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.pages.developers.frame import show_app
from authsrv.pages.developers.guard import Developing, app_page


@app_page
async def show(request: Request, developing: Developing) -> Response:
    return show_app(request, developing, "developers/overview.html", tab="overview")
