"""How an error is worded where no door got to speak: by the part of the house the path belongs to."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from authsrv.kit.errors import CredentialMissing, DomainError
from authsrv.web.responses import NO_STORE, JsonResponse

Voice: TypeAlias = Callable[[DomainError], Response]
PageVoice: TypeAlias = Callable[[Request, DomainError], Response]

# What Starlette's router says, in our words.
_OF_STATUS = {
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path does not answer to this method."),
}


# RFC 6750, 3.1 has its own word for a bearer token that is none.
_STANDARD_CODES = {"unauthorized": "invalid_token"}


def protocol_voice(error: DomainError) -> Response:
    """The standards' error body (RFC 6749, 5.2; RFC 7591, 3.2.2); its description is ASCII."""
    if isinstance(error, CredentialMissing):
        return JsonResponse({}, error.status, {**error.headers, **NO_STORE})
    body = {"error": _STANDARD_CODES.get(error.code, error.code), "error_description": _in_ascii(error.description)}
    return JsonResponse(body, error.status, {**error.headers, **NO_STORE})


def _in_ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


class Voices:
    """Chooses the voice by path prefix; where none is named, a browser gets a page and a program the protocol's."""

    def __init__(self, voices: Sequence[tuple[str, Voice]], page_voice: PageVoice) -> None:
        self._voices = tuple(voices)
        self._page_voice = page_voice

    def word(self, scope: Scope, path: str, error: DomainError) -> Response:
        for prefix, voice in self._voices:
            if path == prefix or path.startswith(prefix + "/"):
                return voice(error)
        if _asks_for_a_page(scope):
            return self._page_voice(Request(scope), error)
        return protocol_voice(error)


def _asks_for_a_page(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def from_http_exception(error: HTTPException) -> DomainError:
    """Starlette's exception as one of ours."""
    code, description = _OF_STATUS.get(error.status_code, ("invalid_request", "The request cannot be understood."))
    return DomainError(code, error.status_code, description, headers=error.headers)
