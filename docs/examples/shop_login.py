"""An app of its own that a shop's customers log in to with OpenID Connect: `uvicorn shop_login:app --port 9000`."""

import os

from authlib.integrations.starlette_client import OAuth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

# `authsrv apps create` printed id and secret; everything else is in the metadata.
shop = OAuth().register(
    "shop",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


async def home(request: Request) -> Response:
    return JSONResponse(request.session.get("customer", "nobody"))


async def log_in(request: Request) -> Response:
    return await shop.authorize_redirect(request, request.url_for("callback"))


async def callback(request: Request) -> Response:
    token = await shop.authorize_access_token(request)
    request.session["customer"] = {name: token["userinfo"].get(name) for name in ("sub", "email", "name")}
    return RedirectResponse("/", 303)


app = Starlette(
    routes=[Route("/", home), Route("/log-in", log_in), Route("/callback", callback)],
    middleware=[Middleware(SessionMiddleware, secret_key=os.environ["SESSION_KEY"])],
)
