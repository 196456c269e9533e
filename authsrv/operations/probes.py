"""Liveness, readiness and metrics, for what watches over the server."""

from starlette.requests import Request
from starlette.responses import Response

from authsrv.web.responses import NO_STORE, JsonResponse
from authsrv.web.runtime import runtime_of


async def health(_: Request) -> Response:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"}, headers=NO_STORE)


async def ready(request: Request) -> Response:
    """Whether requests can be served: database, feed and keys, each by name; 503 when one is not."""
    faults = {part: state for part, state in (await runtime_of(request).readiness()).items() if state != "ok"}
    body = {"status": "unavailable" if faults else "ok", "faults": faults}
    return JsonResponse(body, 503 if faults else 200, {**NO_STORE, **({"Retry-After": "5"} if faults else {})})


async def metrics(request: Request) -> Response:
    """Prometheus."""
    counted = request.app.state.metrics
    return Response(counted.render(), headers=NO_STORE, media_type=counted.media_type)
