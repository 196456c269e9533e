"""What `GET /orders` takes: which orders, and which part of them."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema
from starlette.requests import Request

from authsrv.dialects.order_api.fields import Name
from authsrv.dialects.order_api.schemas import Status, name_fault
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.shop.orders import Listing
from authsrv.web.urls import own_url

_LARGEST_LIMIT = 100
_LAST_PAGE = 100_000


def _number(text: Any) -> Any:
    """Digits and nothing else; int() knows signs, spaces and other scripts too."""
    if isinstance(text, str):
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ValueError("must be a whole number")
        return int(text)
    return text


def _order_id(text: Any) -> Any:
    if isinstance(text, str) and (identifier := parse_uuid(text)) is not None:
        return identifier
    raise ValueError("must be an order_id")


class ListQuery(BaseModel):
    """The query of `GET /orders`; what it does not know is ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    customer_id: Name | SkipJsonSchema[None] = Field(None, description="Only this customer's orders.")
    status: Status | SkipJsonSchema[None] = Field(None, description="Only orders of this status.")
    page: Annotated[int, Field(ge=1, le=_LAST_PAGE, description="Page number, from 1."), BeforeValidator(_number)] = 1
    limit: Annotated[int, Field(ge=1, le=_LARGEST_LIMIT, description="Orders a page."), BeforeValidator(_number)] = 20
    after: Annotated[UUID, BeforeValidator(_order_id)] | SkipJsonSchema[None] = Field(
        None, description="Go on behind this order: the Link header has it."
    )


def read_listing(request: Request) -> Listing:
    """What is asked for. Raises `invalid_parameter` naming the parameter at fault."""
    asked = request.query_params
    for name in ListQuery.model_fields:
        if len(asked.getlist(name)) > 1:
            raise DomainError("invalid_parameter", 400, f"{name} must not be repeated.")
    try:
        query = ListQuery.model_validate(dict(asked))
    except ValidationError as error:
        raise DomainError("invalid_parameter", 400, name_fault(error)) from None
    return Listing(
        customer_id=query.customer_id,
        status=query.status,
        after=query.after,
        offset=(query.page - 1) * query.limit,
        limit=query.limit,
    )


def next_url(request: Request, listing: Listing, last: UUID) -> str:
    """The next page by keyset: it neither skips nor repeats while orders arrive (RFC 8288)."""
    kept = {name: request.query_params[name] for name in ("customer_id", "status") if name in request.query_params}
    return own_url(request, f"/orders?{urlencode({**kept, 'limit': listing.limit, 'after': last})}")
