"""The kinds of text in the Order API's bodies; what each allows also stands in its JSON Schema."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from authsrv.kit.plain_text import CONTROLS, read_filled_line, read_line
from authsrv.shop.countries import known_countries

_LINE: Final = rf"^[^{CONTROLS}]*$"
_FILLED_LINE: Final = rf"^[^{CONTROLS}]*[^\s{CONTROLS}][^{CONTROLS}]*$"


def _is_country(code: str) -> str:
    if code not in known_countries():
        raise ValueError("is not an ISO 3166 country code of two or three letters")
    return code


def _whole(number: Any) -> Any:
    """JSON has one kind of number: 2.0 is an integer (JSON Schema 2020-12, validation 6.1.1)."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _line(longest: int, *, shortest: int = 0) -> dict[str, object]:
    size = {"minLength": shortest, "maxLength": longest} if shortest else {"maxLength": longest}
    return {"type": "string", **size, "pattern": _FILLED_LINE if shortest else _LINE}


class _CountrySchema:
    """Lists the codes when the reference asks for them, not before: see `known_countries`."""

    def __get_pydantic_json_schema__(self, _: object, __: object) -> dict[str, object]:
        return {
            "type": "string",
            "enum": sorted(known_countries(), key=lambda code: (len(code), code)),
            "description": "ISO 3166, in two or three letters.",
        }


# A line of text without the spaces around it; each says itself what is wrong with it, in words rather than a pattern.
Text = Annotated[
    str, Field(min_length=1, max_length=200), AfterValidator(read_filled_line), WithJsonSchema(_line(200, shortest=1))
]
Name = Annotated[
    str, Field(min_length=1, max_length=64), AfterValidator(read_filled_line), WithJsonSchema(_line(64, shortest=1))
]
Quantity = Annotated[int, Field(ge=1, le=10_000), BeforeValidator(_whole)]
State = Annotated[str, Field(max_length=100), AfterValidator(read_line), WithJsonSchema(_line(100))]
Zip = Annotated[str, Field(max_length=20), AfterValidator(read_line), WithJsonSchema(_line(20))]
Country = Annotated[str, AfterValidator(_is_country), _CountrySchema()]
