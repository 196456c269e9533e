"""A Starlette app with the authorization server below /auth; try it with `uvicorn mounted:app`."""

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from authsrv import create_app, load_settings, well_known_routes

# The issuer is the URL at which people and apps reach the mount; AUTHSRV_ISSUER overrides it.
auth = create_app(load_settings(issuer="http://127.0.0.1:8000/auth"))

app = Starlette(
    routes=[Route("/", lambda _: PlainTextResponse("The shop")), Mount("/auth", auth), *well_known_routes(auth)],
    lifespan=lambda _: auth.router.lifespan_context(auth),
)
