"""How the kiosk hears what goes wrong: one line, `ERR`, a word and a sentence."""

from starlette.responses import PlainTextResponse, Response

from authsrv.kit.errors import DomainError
from authsrv.web.responses import NO_STORE


def voice(error: DomainError) -> Response:
    line = f"ERR {error.code} {error.description}\n"
    return PlainTextResponse(line, error.status, {**error.headers, **NO_STORE})
