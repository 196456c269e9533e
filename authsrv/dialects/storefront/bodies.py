"""Request bodies: JSON under either of its two names, checked field by field."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import Request

from authsrv.dialects.storefront.answers import JSON, JSON_API
from authsrv.dialects.storefront.voice import Unprocessable
from authsrv.kit.errors import DomainError
from authsrv.kit.plain_text import read_filled_line, read_line

B = TypeVar("B", bound=BaseModel)


class Body(BaseModel):
    """Strict about types, and deaf to what it does not know: clients send more than is used here."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def _or_empty(value: object) -> object:
    """Clients send back what they were shown, where nothing is null."""
    return "" if value is None else value


Line = Annotated[str, Field(max_length=200), AfterValidator(read_line), BeforeValidator(_or_empty)]
Filled = Annotated[str, Field(max_length=200), AfterValidator(read_filled_line)]
Name = Annotated[str, Field(max_length=100), AfterValidator(read_line)]
ShortLine = Annotated[str, Field(max_length=100), AfterValidator(read_line), BeforeValidator(_or_empty)]
Zip = Annotated[str, Field(max_length=20), AfterValidator(read_line), BeforeValidator(_or_empty)]


async def read_body(request: Request, kind: type[B]) -> B:
    """The body as this kind; one that is missing counts as an empty object.

    Raises `unsupported_media_type` (415), `invalid_request` (400) for what is no JSON object, and Unprocessable.
    """
    text = await request.body()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in {JSON, JSON_API} and (text or content_type):
        raise DomainError("unsupported_media_type", 415, f"The body must be {JSON} or {JSON_API}.")
    try:
        return kind.model_validate_json(text or b"{}")
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> DomainError:
    faults = error.errors(include_input=False, include_url=False)
    if any(fault["type"] == "json_invalid" or not fault["loc"] for fault in faults):
        return DomainError("invalid_request", 400, "The body is not a JSON object.")
    said: dict[str, list[str]] = {}
    for fault in faults:
        said.setdefault(_name(fault["loc"]), []).append(fault["msg"].removeprefix("Value error, "))
    name, texts = next(iter(said.items()))
    return Unprocessable(f"{name}: {texts[0]}", said)


def _name(place: tuple[Any, ...]) -> str:
    """A field as clients know it: `ship_address.city`, without the envelope around all of it."""
    parts = [str(part).removesuffix("_attributes") for part in place]
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] in {"user", "order"} else parts)
