"""`/openapi.json` and `/docs`: the Order API described, for programs and for people, from one document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from authsrv.dialects.order_api.openapi import REFUSALS, describe
from authsrv.dialects.order_api.samples import Sample, credential_command, samples_of
from authsrv.shop.events import EVENTS
from authsrv.shop.orders import STATUSES, TRANSITIONS
from authsrv.web.page import page
from authsrv.web.responses import JsonResponse
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import render
from authsrv.web.urls import own_url

# More values than this are described rather than listed.
_LISTED_VALUES = 12
_EXAMPLES: Mapping[str, Any] = {
    "order_id": "01a2b3c4-d5e6-7f80-9a1b-2c3d4e5f6071",
    "customer_id": "12345",
    "product_id": "A100",
    "quantity": 2,
    "price": 14.0,
    "street": "123 Main St",
    "city": "Anytown",
    "state": "CA",
    "zip": "91234",
    "country": "USA",
    "created_at": "2026-01-15T09:30:00.000Z",
    "updated_at": "2026-01-15T09:30:00.000Z",
    "code": "invalid_parameter",
    "message": "The customer_id parameter is required.",
    "event": "order.updated",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a member of a body, as a line of the page; `name` has its path, such as `items[].quantity`."""

    name: str
    kind: str
    is_required: bool
    description: str
    place: str = "body"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    fields: list[Field]
    status: str
    answer: str
    refusals: list[str]
    samples: list[Sample]


async def document(request: Request) -> Response:
    """`/openapi.json`."""
    return JsonResponse(_describe(request), headers={"Cache-Control": "public, max-age=300"})


@page
async def reference(request: Request) -> Response:
    """`/docs`."""
    runtime = runtime_of(request)
    described = _describe(request)
    return render(
        request,
        "reference.html",
        title=described["info"]["title"],
        summary=described["info"]["description"],
        version=described["info"]["version"],
        base_url=own_url(request, ""),
        is_demo=runtime.demo_credentials is not None,
        command=credential_command(runtime.settings.issuer, runtime.demo_credentials),
        operations=list(_operations(described)),
        refusals=REFUSALS,
        error=_pretty(_example(described, described["components"]["schemas"]["ErrorOut"])),
        events=EVENTS,
        event=_pretty(_example(described, described["components"]["schemas"]["EventOut"])),
        moves=[(status, [to for to in STATUSES if to in TRANSITIONS[status]]) for status in STATUSES],
        api_limit=runtime.settings.limits.api_per_credential,
        body_limit=runtime.settings.http.body_limit_bytes,
    )


def _describe(request: Request) -> dict[str, Any]:
    return describe(own_url(request, ""), runtime_of(request).settings.issuer)


def _operations(described: dict[str, Any]) -> Iterator[Operation]:
    base_url = described["servers"][0]["url"]
    for path, methods in described["paths"].items():
        shared = methods.get("parameters", [])
        for method, said in methods.items():
            if method == "parameters":
                continue
            status, good = next((code, answer) for code, answer in said["responses"].items() if code.startswith("2"))
            yield Operation(
                id=said["operationId"],
                method=method.upper(),
                path=path,
                summary=said["summary"],
                description=said["description"],
                scope=said["security"][0]["bearer"][0],
                fields=[*_parameters(shared + said.get("parameters", [])), *_body(described, said)],
                status=status,
                answer=_pretty(_example(described, good["content"]["application/json"]["schema"])),
                refusals=[code for code in said["responses"] if not code.startswith("2")],
                samples=samples_of(said["operationId"], base_url),
            )


def _parameters(parameters: list[dict[str, Any]]) -> Iterator[Field]:
    for each in parameters:
        yield Field(each["name"], _kind(each["schema"]), each["required"], each["description"], each["in"])


def _body(described: dict[str, Any], said: dict[str, Any]) -> Iterator[Field]:
    if "requestBody" in said:
        schema = _resolve(described, said["requestBody"]["content"]["application/json"]["schema"])
        yield from _members(described, schema, "")


def _members(described: dict[str, Any], schema: dict[str, Any], prefix: str) -> Iterator[Field]:
    required = schema.get("required", [])
    for name, member in schema["properties"].items():
        whole = _resolve(described, member)
        description = member.get("description") or whole.get("description", "")
        yield Field(prefix + name, _kind(whole), name in required, description)
        inner = _resolve(described, whole.get("items", whole))
        if "properties" in inner:
            yield from _members(described, inner, f"{prefix}{name}{'[]' if whole.get('type') == 'array' else ''}.")


def _resolve(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, for a reference to one or a choice between one and null."""
    if "$ref" in schema:
        found: dict[str, Any] = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null" and "required" not in each]
    return _resolve(described, choices[0]) if choices and "properties" not in schema else schema


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    values = schema.get("enum", [])
    if values and len(values) <= _LISTED_VALUES:
        return " · ".join(values)
    kind = {"array": "list"}.get(schema["type"], schema["type"])
    bounds = [schema.get(f"{end}{of}") for of in ("imum", "Length", "Items") for end in ("min", "max")]
    least, most = next(((bounds[at], bounds[at + 1]) for at in (0, 2, 4) if bounds[at + 1] is not None), (None, None))
    said = str(schema.get("format", kind))
    if most is not None:
        unit = {"string": " characters", "array": " items"}.get(schema["type"], "")
        said += f", {least} to {most}{unit}" if least is not None else f", at most {most}{unit}"
    return said + (f", default {schema['default']}" if schema.get("default") else "")


def _example(described: dict[str, Any], schema: dict[str, Any], name: str = "") -> Any:
    """A value of this shape."""
    schema = _resolve(described, schema)
    if "properties" in schema:
        return {member: _example(described, inner, member) for member, inner in schema["properties"].items()}
    if schema["type"] == "array":
        return [_example(described, schema["items"])]
    return _EXAMPLES[name] if name in _EXAMPLES else schema["enum"][0]


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
