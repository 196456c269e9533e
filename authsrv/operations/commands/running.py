"""What every command shares: settings, one transaction, and how a result or a refusal is shown."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from authsrv.kit.clock import SystemClock
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.errors import DomainError, Unavailable
from authsrv.kit.handles import HandleSealer
from authsrv.kit.identifiers import Identifiers
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.vault import Vault
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.operations.logs import set_up_logs
from authsrv.operations.schema import SchemaOutOfDate, ensure_schema
from authsrv.operations.secrets_file import secret_keys_of
from authsrv.settings import Settings, SettingsError, config_file, load_settings
from authsrv.storage.database import Database
from authsrv.storage.unit import Unit

T = TypeVar("T")

ACTOR = "cli"
_WIDEST = 1000
# An import or a first filling is no request that somebody waits for.
_TRANSACTION_SECONDS = 30.0
AsJson = Annotated[bool, typer.Option("--json", help="One JSON value on stdout, nothing else.")]


@dataclass(frozen=True, slots=True)
class Tools:
    """What commands work with besides the database."""

    settings: Settings
    keys: SecretKeys
    entropy: SystemEntropy
    scopes: ScopeCatalogue

    def vault(self, purpose: str) -> Vault:
        """The vault that the server seals such things with."""
        return Vault(self.keys, purpose, self.entropy)

    @property
    def sealer(self) -> HandleSealer:
        return HandleSealer(self.keys)


def command_settings() -> Settings:
    """The settings, with their logs set up; ends the command when they cannot be used."""
    try:
        settings = load_settings()
    except SettingsError as error:
        fail(str(error))
    set_up_logs("text", "WARNING")
    return settings


def command_database(settings: Settings) -> Database:
    """The database the settings name; ends the command when they name none."""
    clock = SystemClock()
    try:
        return Database(
            settings.database_url.get_secret_value(),
            clock=clock,
            identifiers=Identifiers(clock, SystemEntropy()),
            pool_size=1,
            timeout_seconds=max(_TRANSACTION_SECONDS, settings.database.timeout_seconds),
        )
    except ValueError as error:
        fail(str(error))


def run(
    work: Callable[[Unit, Tools], T], *, afterwards: Callable[[T, Tools, Database], Awaitable[None]] | None = None
) -> T:
    """Runs `work` in one transaction on an up-to-date schema; ends the command with 1 when it is refused.

    `afterwards` is for mails about what came of it: the transaction is committed by then.
    """
    settings = command_settings()

    async def go() -> T:
        entropy = SystemEntropy()
        tools = Tools(
            settings, secret_keys_of(settings, entropy), entropy, ScopeCatalogue.read(config_file("scopes.toml"))
        )
        database = command_database(settings)
        try:
            await database.start()
            await ensure_schema(database)
            result = await database.transact(lambda unit: work(unit, tools))
            if afterwards is not None:
                await afterwards(result, tools, database)
            return result
        finally:
            await database.close()

    try:
        return asyncio.run(go())
    except (SettingsError, SchemaOutOfDate) as error:
        fail(str(error))
    except Unavailable as error:
        fail(f"{error.reason}.")
    except DomainError as error:
        fail(error.description)
    except OSError as error:
        fail(f"The database cannot be reached: {error.strerror or type(error).__name__}.")


def fail(text: str) -> NoReturn:
    """Ends the command: refused."""
    typer.echo(text, err=True)
    raise typer.Exit(1)


def show_one(values: Mapping[str, Any], *, as_json: bool, note: str = "") -> None:
    """One object: JSON, or a line a field, with a note for people below."""
    if as_json:
        _write_json(values)
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        typer.echo(f"{name:<{width}}  {_plain(value)}")
    if note:
        typer.echo(f"\n{note}")


def show_many(rows: Sequence[Mapping[str, Any]], *, as_json: bool, columns: Sequence[str], nothing: str) -> None:
    """Several objects: JSON, or a table; `nothing` is said where there are none."""
    if as_json:
        _write_json(rows)
        return
    if not rows:
        typer.echo(nothing)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        # Ids are there to be copied: rather a long line than a cut one.
        table.add_column(column, no_wrap=True, overflow="ignore")
    for row in rows:
        # As text: what looks like markup is somebody's own.
        table.add_row(*(Text(_plain(row[column])) for column in columns))
    Console(width=_WIDEST).print(table, crop=False)


def _write_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "-"
    # Browsers name themselves, and a terminal obeys what is sent to it.
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in str(value))
