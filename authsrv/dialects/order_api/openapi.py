"""The Order API described (OpenAPI 3.1), from the very models that check requests and make answers."""

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from authsrv.dialects.order_api.schemas import ChangedOut, ChangeIn, CreatedOut, ErrorOut, OrderIn, OrderOut
from authsrv.shop.orders import STATUSES

# What each status means here, in the words of the reference.
_REFUSALS = {
    400: "A parameter is missing or wrong; the message names it.",
    401: "No credential, or one that is forged, expired or taken back.",
    403: "The credential lacks the scope, or belongs to another store.",
    404: "There is no such order, for this credential.",
    409: "The order's status does not allow this.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The Idempotency-Key was used with another request.",
    429: "Too many requests; Retry-After says when to try again.",
    503: "The service cannot answer right now; Retry-After says when to try again.",
}
_ALWAYS = (401, 403, 429, 503)
_ORDER_ID = {
    "name": "order_id",
    "in": "path",
    "required": True,
    "description": "The ID of the order.",
    "schema": {"type": "string", "format": "uuid"},
}
_LIST_PARAMETERS = (
    ("customer_id", "Only this customer's orders.", {"type": "string", "minLength": 1, "maxLength": 64}),
    ("status", "Only orders of this status.", {"type": "string", "enum": list(STATUSES)}),
    ("page", "Page number, from 1.", {"type": "integer", "minimum": 1, "maximum": 100_000, "default": 1}),
    ("limit", "Orders a page.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
    ("after", "Go on behind this order; the Link header fills it in.", {"type": "string", "format": "uuid"}),
)
_LIST_HEADERS = {
    "X-Total-Count": {"description": "How many orders match.", "schema": {"type": "integer"}},
    "Link": {"description": "The next page (RFC 8288), while there is one.", "schema": {"type": "string"}},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of your own: a request repeated with it within 24 hours gets the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def describe(issuer: str, version: str) -> dict[str, Any]:
    """The document, for the server at this issuer."""
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        *((model, "validation") for model in (OrderIn, ChangeIn)),
        *((model, "serialization") for model in (OrderOut, CreatedOut, ChangedOut, ErrorOut)),
    ]
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Order API",
            "version": version,
            "description": "Create, read, change, cancel and list orders; hear of them by webhook.",
        },
        "servers": [{"url": issuer}],
        "security": [{"bearer": []}],
        "paths": {"/orders": _collection(), "/orders/{order_id}": _member()},
        "components": {"schemas": definitions["$defs"], "securitySchemes": _schemes(issuer)},
    }


def _collection() -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
        for name, text, schema in _LIST_PARAMETERS
    ]
    listed = {"type": "array", "items": _ref(OrderOut)}
    return {
        "get": {
            "operationId": "listOrders",
            "summary": "List orders",
            "description": "Newest first. Needs the scope orders:read.",
            "parameters": parameters,
            "responses": {
                "200": {"description": "A page of orders.", "headers": _LIST_HEADERS, "content": _json(listed)},
                **_refusals(400, *_ALWAYS),
            },
        },
        "post": {
            "operationId": "createOrder",
            "summary": "Create an order",
            "description": "Prices come from the catalogue. Needs the scope orders:write.",
            "parameters": [_IDEMPOTENCY_KEY],
            "requestBody": {"required": True, "content": _json(_ref(OrderIn))},
            "responses": {
                "201": {"description": "The order was placed.", "content": _json(_ref(CreatedOut))},
                **_refusals(400, *_ALWAYS, 413, 415, 422),
            },
        },
    }


def _member() -> dict[str, Any]:
    changed = {"200": {"description": "The order as it is now.", "content": _json(_ref(ChangedOut))}}
    return {
        "parameters": [_ORDER_ID],
        "get": {
            "operationId": "getOrder",
            "summary": "Get an order",
            "description": "Needs the scope orders:read.",
            "responses": {
                "200": {"description": "The order.", "content": _json(_ref(OrderOut))},
                **_refusals(*_ALWAYS, 404),
            },
        },
        "put": {
            "operationId": "updateOrder",
            "summary": "Update an order",
            "description": "Status and address, each if it is sent. Needs the scope orders:write.",
            "requestBody": {"required": True, "content": _json(_ref(ChangeIn))},
            "responses": {**changed, **_refusals(400, *_ALWAYS, 404, 409, 413, 415)},
        },
        "delete": {
            "operationId": "cancelOrder",
            "summary": "Cancel an order",
            "description": "From pending or processing; its products go back into stock. Needs the scope orders:write.",
            "responses": {**changed, **_refusals(*_ALWAYS, 404, 409)},
        },
    }


def _refusals(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {"description": _REFUSALS[status], "content": _json(_ref(ErrorOut))} for status in sorted(statuses)
    }


def _schemes(issuer: str) -> dict[str, Any]:
    scopes = {"orders:read": "See orders", "orders:write": "Place, change and cancel orders"}
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, or an access token of this server.",
        },
        "oauth": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": f"{issuer}/oauth/token", "scopes": scopes}},
        },
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
