"""What `GET /api/customer/orders` takes: all orders, unless a part is asked for."""

from uuid import UUID

from starlette.requests import Request

from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid

# The document knows no pages, so a client of its gets as many as one request may cost.
_MOST = 500


def read_listing(request: Request) -> tuple[int, UUID | None]:
    """How many at most, and behind which order. Raises `invalid_request` naming the parameter at fault."""
    asked = request.query_params
    limit, after = asked.get("limit", str(_MOST)), asked.get("after")
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 4 and 1 <= int(limit) <= _MOST):
        raise DomainError("invalid_request", 400, f"limit must be a number from 1 to {_MOST}.")
    behind = parse_uuid(after) if after is not None else None
    if after is not None and behind is None:
        raise DomainError("invalid_request", 400, "after must be an order_id.")
    return int(limit), behind
