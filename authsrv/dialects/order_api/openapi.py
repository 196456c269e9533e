"""The Order API described (OpenAPI 3.1), from the very models that check requests and make answers."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from authsrv.dialects.order_api.listing import ListQuery
from authsrv.dialects.order_api.repeats import KEY_PATTERN
from authsrv.dialects.order_api.schemas import ChangedOut, ChangeIn, CreatedOut, ErrorOut, EventOut, OrderIn, OrderOut
from authsrv.shop.events import EVENTS

# Of the API as its callers see it, whatever server answers.
_VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as every operation words it; `header` goes with it."""

    status: int
    code: str
    description: str
    header: str | None = None


REFUSALS = (
    Refusal(400, "invalid_parameter", "A parameter is missing or wrong; the message names it."),
    Refusal(401, "unauthorized", "No credential, or one that is forged, expired or taken back.", "WWW-Authenticate"),
    Refusal(403, "insufficient_scope", "The credential lacks the scope, or is another store's.", "WWW-Authenticate"),
    Refusal(404, "not_found", "There is no such order for this credential."),
    Refusal(405, "method_not_allowed", "The path does not answer to this method.", "Allow"),
    Refusal(409, "invalid_transition", "The order's status does not allow this."),
    Refusal(413, "payload_too_large", "The body is too large."),
    Refusal(415, "unsupported_media_type", "The body is not application/json."),
    Refusal(422, "idempotency_conflict", "The Idempotency-Key came with another request before."),
    Refusal(
        429, "rate_limited", "Too many requests. Retry-After tells in how many seconds to try again.", "Retry-After"
    ),
    Refusal(500, "internal_error", "Something went wrong on our side."),
    Refusal(503, "unavailable", "The service cannot answer right now; try again after Retry-After.", "Retry-After"),
)
_CODES = {refusal.status: refusal.code for refusal in REFUSALS}
_ALWAYS = (401, 403, 429, 500, 503)
_ORDER_ID = {
    "name": "order_id",
    "in": "path",
    "required": True,
    "description": "The ID of the order.",
    "schema": {"type": "string", "format": "uuid"},
}
_LIST_HEADERS = {
    "X-Total-Count": {"description": "How many orders match.", "required": True, "schema": {"type": "integer"}},
    "Link": {"description": 'The next page (RFC 8288, rel="next"), if there is one.', "schema": {"type": "string"}},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of your own. Repeated with it within 24 hours, a request gets the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": KEY_PATTERN},
}


def describe(base_url: str, issuer: str) -> dict[str, Any]:
    """The document: the API at `base_url`, with tokens of the server at `issuer`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Order API",
            "version": _VERSION,
            "description": "Create, read, change, cancel and list orders, and hear of them by webhook.",
        },
        "servers": [{"url": base_url}],
        "paths": {"/orders": _collection(), "/orders/{order_id}": _member()},
        "webhooks": {event: _told(event) for event in EVENTS},
        "components": {
            "schemas": _schemas(),
            "responses": {refusal.code: _refusal(refusal) for refusal in REFUSALS},
            "securitySchemes": _schemes(issuer),
        },
    }


def _schemas() -> dict[str, Any]:
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        *((model, "validation") for model in (OrderIn, ChangeIn)),
        *((model, "serialization") for model in (OrderOut, CreatedOut, ChangedOut, ErrorOut, EventOut)),
    ]
    _, definitions = models_json_schema(models, ref_template=_REF)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _collection() -> dict[str, Any]:
    return {
        "post": {
            "operationId": "createOrder",
            "summary": "Create an order",
            "description": "The store's catalogue sets the prices, never the caller; what is ordered leaves the stock.",
            "security": _needs("orders:write"),
            "parameters": [_IDEMPOTENCY_KEY],
            "requestBody": {"required": True, "content": _json(_ref(OrderIn))},
            "responses": {
                "201": {"description": "The order was placed.", "content": _json(_ref(CreatedOut)), "links": _links()},
                **_refusals(400, *_ALWAYS, 413, 415, 422),
            },
        },
        "get": {
            "operationId": "listOrders",
            "summary": "List orders",
            "description": "Newest first; a page has a total and a link to the next one in its headers.",
            "security": _needs("orders:read"),
            "parameters": _query(),
            "responses": {
                "200": {
                    "description": "A page of orders.",
                    "headers": _LIST_HEADERS,
                    "content": _json({"type": "array", "items": _ref(OrderOut)}),
                },
                **_refusals(400, *_ALWAYS),
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
            "description": "Prices are those of the day it was placed.",
            "security": _needs("orders:read"),
            "responses": {
                "200": {"description": "The order.", "content": _json(_ref(OrderOut))},
                **_refusals(*_ALWAYS, 404),
            },
        },
        "put": {
            "operationId": "updateOrder",
            "summary": "Update an order",
            "description": "Status, address or both; what is left out stays. An address can change until the order is"
            " shipped. A customer's own token can cancel and change the address; the rest is the shop's.",
            "security": _needs("orders:write"),
            "requestBody": {"required": True, "content": _json(_ref(ChangeIn))},
            "responses": {**changed, **_refusals(400, *_ALWAYS, 404, 409, 413, 415)},
        },
        "delete": {
            "operationId": "cancelOrder",
            "summary": "Cancel an order",
            "description": "While it is pending or processing. Its products go back into stock; it can still be read.",
            "security": _needs("orders:write"),
            "responses": {**changed, **_refusals(*_ALWAYS, 404, 409)},
        },
    }


def _query() -> list[dict[str, Any]]:
    """The parameters of a listing, each with its model's own schema."""
    schema = ListQuery.model_json_schema()
    parameters = []
    for name, described in schema["properties"].items():
        kept = {key: value for key, value in described.items() if key not in {"title", "description"}}
        if kept.get("default", ...) is None:
            del kept["default"]
        text = described["description"]
        parameters.append({"name": name, "in": "query", "required": False, "description": text, "schema": kept})
    return parameters


def _links() -> dict[str, Any]:
    parameters = {"order_id": "$response.body#/order_id"}
    return {
        name: {"operationId": name, "parameters": parameters} for name in ("getOrder", "updateOrder", "cancelOrder")
    }


def _told(event: str) -> dict[str, Any]:
    return {
        "post": {
            "summary": event,
            "description": "Signed by the headers of Standard Webhooks.",
            # Nothing of ours opens your door; the signature proves who knocks.
            "security": [],
            "requestBody": {"required": True, "content": _json(_ref(EventOut))},
            "responses": {"2XX": {"description": "Heard. Anything else, or 5 s without an answer, is tried again."}},
        }
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    headers = {refusal.header: {"required": True, "schema": {"type": "string"}}} if refusal.header else None
    answer = {"description": refusal.description, "content": _json(_ref(ErrorOut))}
    return {**answer, "headers": headers} if headers else answer


def _refusals(*statuses: int) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/{_CODES[status]}"} for status in sorted(statuses)}


def _schemes(issuer: str) -> dict[str, Any]:
    scopes = {"orders:read": "See orders", "orders:write": "Place, change and cancel orders"}
    flows = {
        "clientCredentials": {"tokenUrl": f"{issuer}/oauth/token", "scopes": scopes},
        "authorizationCode": {
            "authorizationUrl": f"{issuer}/oauth/authorize",
            "tokenUrl": f"{issuer}/oauth/token",
            "scopes": scopes,
        },
    }
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, or an access token of this server.",
        },
        "oauth": {"type": "oauth2", "flows": flows},
    }


def _needs(scope: str) -> list[dict[str, list[str]]]:
    return [{"bearer": [scope]}, {"oauth": [scope]}]


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": _REF.format(model=model.__name__)}
