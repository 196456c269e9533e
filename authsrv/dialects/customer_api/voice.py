"""How the Customer API words what goes wrong, to the letter of its document where that has a letter."""

from typing import Any

from starlette.responses import Response

from authsrv.dialects.customer_api.answers import CompressedJson
from authsrv.kit.errors import DomainError

# Its own words for two of the standard's errors.
_SAID = {
    "invalid_client": "Client authentication failed",
    "invalid_token": "The access token expired",
}
_CODES = {"invalid_parameter": "invalid_request"}


class AccessDenied(DomainError):
    """The token is none, or was taken back."""

    def __init__(self) -> None:
        super().__init__("access_denied", 400, "The resource owner or authorization server denied the request.")


class NotAllowed(DomainError):
    """The caller is known, and may not."""

    def __init__(self, description: str) -> None:
        super().__init__("forbidden", 403, description)


def voice(error: DomainError) -> Response:
    """Errors of the calls that need a token."""
    body = _body(error)
    if error.code != "invalid_token":
        body["status"] = error.status
    return CompressedJson(body, error.status, error.headers)


def token_voice(error: DomainError) -> Response:
    """Errors of the token endpoint, which say the same thing twice."""
    body = _body(error)
    body["message"] = body["error_description"]
    body["status"] = error.status
    return CompressedJson(body, error.status, error.headers)


def _body(error: DomainError) -> dict[str, Any]:
    description = _SAID.get(error.code, error.description)
    return {"error": _CODES.get(error.code, error.code), "error_description": description}
