"""`authsrv products`: filling a store's catalogue from a file."""

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from authsrv.kit.errors import DomainError
from authsrv.kit.plain_text import read_line
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, fail, run, show_one
from authsrv.operations.commands.store_rows import get_store
from authsrv.shop.money import to_minor
from authsrv.storage.audit import add_audit_event
from authsrv.storage.products import ProductValues, save_product
from authsrv.storage.unit import Unit

commands = typer.Typer(help="A store's catalogue.", no_args_is_help=True)


_Line = Annotated[str, AfterValidator(read_line)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, str_strip_whitespace=True)

    product_id: _Line = Field(min_length=1, max_length=64)
    code: _Line = Field(min_length=1, max_length=64)
    brand: _Line = Field(default="", max_length=100)
    name: _Line = Field(min_length=1, max_length=200)
    price: str
    stock: int = Field(ge=0, le=2_000_000_000)
    currency: str | None = None


@commands.callback()
def group() -> None:
    """A store's catalogue."""


@commands.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV with a header, or a JSON array.")],
    store: Annotated[str, typer.Option(help="Prefix of the store.")],
    as_json: AsJson = False,
) -> None:
    """Add or change products: all of the file, or nothing."""
    rows = _read(file)

    def work(unit: Unit, _: Tools) -> dict[str, Any]:
        found = get_store(unit, store)
        for number, row in enumerate(rows, 1):
            if row.currency not in {None, "", found.currency}:
                raise DomainError("invalid", 400, f"row {number}: currency: the store sells in {found.currency}.")
            try:
                price_minor = to_minor(row.price, found.currency)
            except ValueError as fault:
                raise DomainError("invalid", 400, f"row {number}: price: {fault}.") from None
            values = ProductValues(
                product_id=row.product_id,
                code=row.code,
                brand=row.brand,
                name=row.name,
                price_minor=price_minor,
                stock=row.stock,
            )
            save_product(unit, found.id, values)
        add_audit_event(unit, "products.imported", actor=ACTOR, subject=store, count=len(rows))
        return {"store": store, "imported": len(rows)}

    show_one(run(work), as_json=as_json)


def _read(file: Path) -> list[_Row]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: cannot be read: {error}.")
    entries = _read_json(file, text) if text.lstrip().startswith(("[", "{")) else _read_csv(file, text)
    rows = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            fail(f"{file}: row {number}: is not an object.")
        if None in entry:
            fail(f"{file}: row {number}: has more cells than the header; a comma within one needs quotes.")
        try:
            rows.append(_Row.model_validate(entry))
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            fail(f"{file}: row {number}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}.")
    return rows


def _read_json(file: Path, text: str) -> list[Any]:
    try:
        entries = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        fail(f"{file}: is not JSON: {error}.")
    if not isinstance(entries, list):
        fail(f"{file}: is not a JSON array.")
    return entries


def _read_csv(file: Path, text: str) -> list[Any]:
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name, field in _Row.model_fields.items() if field.is_required()]
    missing = [name for name in missing if name not in (reader.fieldnames or ())]
    if missing:
        fail(f"{file}: is neither a JSON array nor CSV with a header: it has no column {', '.join(missing)}.")
    try:
        return list(reader)
    except csv.Error as error:
        fail(f"{file}: is not CSV: {error}.")
