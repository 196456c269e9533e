"""The way from the gate to the doors, as short as it can be."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from authsrv.web.context import context_within
from authsrv.web.runtime import Runtime


class Hall(Starlette):
    """Starlette without its two layers that handle errors: the gate words every one, so they would only look on."""

    # An attribute, since every request asks for it: `state` finds what it is asked for much more slowly.
    runtime: Runtime

    def __init__(self, routes: Sequence[Route], lifespan: "Lifespan[Hall]") -> None:
        super().__init__(lifespan=lifespan)
        # Its own router is empty, and stays the one that runs the lifespan and finds nothing else.
        self.router = StraightRouter(routes, lifespan=self.router.lifespan_context)
        self.gate: ASGIApp = self.router

    def build_middleware_stack(self) -> ASGIApp:
        stack = self.gate
        for factory, args, kwargs in reversed(self.user_middleware):
            stack = factory(stack, *args, **kwargs)
        return stack


class StraightRouter(Router):
    """Goes straight to a route without parameters; for all else it looks from the top, as Starlette does.

    Only where no path stands in front and the issuer's own host was asked: everything answers there.
    """

    def __init__(self, routes: Sequence[Route], lifespan: "Lifespan[Hall]") -> None:
        # A redirect would be made of the Host header, and send a secret to where that points.
        super().__init__(routes, redirect_slashes=False, lifespan=lifespan)
        self._straight = {
            (method, route.path): route
            for route in reversed(routes)
            if not route.param_convertors
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope.get("root_path") and not context_within(scope).by_host:
            route = self._straight.get((scope["method"], scope["path"]))
            if route is not None:
                scope["route"] = route
                await route.app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
