"""How the storefront words what goes wrong: `{"error"}`, and with `{"errors"}` beside it where fields are at fault."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from authsrv.dialects.storefront.answers import JSON, JSON_API, answer
from authsrv.kit.errors import DomainError
from authsrv.shop.carts import CartRefusal

Faults = Mapping[str, Sequence[str]]


class Unprocessable(DomainError):
    """Understood, and it cannot be done: `faults` says for each field why."""

    def __init__(self, description: str, faults: Faults) -> None:
        super().__init__("unprocessable", 422, description)
        self.faults = faults


def voice(error: DomainError) -> Response:
    """In the type of the documents."""
    return _word(error, JSON_API)


def plain_voice(error: DomainError) -> Response:
    """In that of the token endpoint, which speaks plain JSON."""
    return _word(error, JSON)


def _word(error: DomainError, media_type: str) -> Response:
    body: dict[str, object] = {"error": error.description}
    if (faults := _faults(error)) is not None:
        body["errors"] = {field: list(texts) for field, texts in faults.items()}
    return answer(body, error.status, headers=error.headers, media_type=media_type)


def _faults(error: DomainError) -> Faults | None:
    if isinstance(error, CartRefusal):
        return {error.field: [error.fault]}
    return error.faults if isinstance(error, Unprocessable) else None
