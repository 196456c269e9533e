"""How the Order API words what goes wrong: `{"error": {"code", "message"}}`, always JSON."""

from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.web.responses import NO_STORE, JsonResponse


def voice(error: DomainError) -> Response:
    code = "invalid_parameter" if error.code == "invalid_request" else error.code
    body = {"error": {"code": code, "message": error.description}}
    return JsonResponse(body, error.status, {**error.headers, **NO_STORE})
