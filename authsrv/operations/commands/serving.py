"""`authsrv serve`, `migrate` and `check`: running the server and judging whether it may run."""

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import asyncpg
import orjson
import typer
import uvicorn
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.errors import Unavailable
from authsrv.kit.vault import SealBroken, Vault
from authsrv.oauth.keyring import ensure_keys, open_keys
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.operations.commands.running import AsJson, command_database, command_settings, fail
from authsrv.operations.commands.welcome import demo_summary
from authsrv.operations.demo import seed_demo
from authsrv.operations.http import BoundedHttp
from authsrv.operations.inspection import Finding, inspect_clients, inspect_keys, inspect_settings, inspect_webhooks
from authsrv.operations.logs import set_up_logs
from authsrv.operations.schema import SchemaOutOfDate, ensure_schema, schema_is_current
from authsrv.operations.schema import migrate as bring_up
from authsrv.operations.secrets_file import secret_keys_of
from authsrv.operations.supervision import METRICS_FOLDER, Supervisor
from authsrv.settings import Settings, SettingsError, config_file, load_settings, unknown_environment_names
from authsrv.storage.database import Database
from authsrv.storage.unit import Unit
from authsrv.web.outbox import mail_ways_of

commands = typer.Typer()
T = TypeVar("T")

_RESTORE_SECRET = "Put the secret key that sealed it back into AUTHSRV_SECRET_KEYS, behind the new one."

_APP = "authsrv.app:worker_app"
_PENDING_CONNECTIONS = 2048
_KEEP_ALIVE_SECONDS = 65
_WORKER_SILENCE_SECONDS = 60


@commands.command("serve")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=256)] = 1,
    demo: Annotated[bool, typer.Option("--demo", help="With the demo shop and its credentials.")] = False,
) -> None:
    """Serve. On SQLite the schema is brought up to date first; on PostgreSQL `authsrv migrate` does that."""
    settings = _serving_settings(host, port, demo=demo)
    set_up_logs(settings.log, settings.log_level)
    for name in unknown_environment_names(os.environ):
        typer.echo(f"warning: {name} is no setting of authsrv; ignored", err=True)
    _prepare(settings)
    _listen(host, port, workers, settings)


@commands.command("migrate")
def migrate(as_json: AsJson = False) -> None:
    """Bring the schema to its newest version. Running it again changes nothing."""
    settings = command_settings()

    async def work(database: Database) -> bool:
        if await schema_is_current(database):
            return False
        await bring_up(database)
        return True

    changed = _with_database(settings, work)
    if as_json:
        typer.echo(orjson.dumps({"migrated": changed}))
    else:
        typer.echo("The schema was brought up to date." if changed else "The schema is up to date.")


@commands.command("check")
def check(as_json: AsJson = False) -> None:
    """Print the effective settings, secrets masked, then all that is unsafe or broken and what to do about it."""
    settings = command_settings()
    findings = [*inspect_settings(settings, os.environ), *_inspect_database(settings)]
    shown = {**orjson.loads(settings.model_dump_json()), "database_url": _masked(settings)}
    if as_json:
        problems = [{"name": f.name, "problem": f.problem, "remedy": f.remedy, "unsafe": f.unsafe} for f in findings]
        typer.echo(orjson.dumps({"settings": shown, "findings": problems}, option=orjson.OPT_INDENT_2))
    else:
        for name, value in _flat(shown):
            typer.echo(f"{name} = {value}")
        typer.echo("")
        for finding in findings:
            typer.echo(
                f"{'UNSAFE' if finding.unsafe else 'note  '}  {finding.name}: {finding.problem}\n"
                f"        → {finding.remedy}"
            )
        if not any(finding.unsafe for finding in findings):
            typer.echo("Nothing unsafe found.")
    if any(finding.unsafe for finding in findings):
        raise typer.Exit(1)


def _serving_settings(host: str, port: int, *, demo: bool) -> Settings:
    try:
        settings = load_settings(demo=True) if demo else load_settings()
        if settings.demo and not settings.issuer:
            # A browser cannot visit 0.0.0.0.
            reachable = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
            os.environ["AUTHSRV_ISSUER"] = f"http://{reachable}:{port}"
        if demo:
            os.environ["AUTHSRV_DEMO"] = "true"
        settings = load_settings()
        if not settings.issuer:
            fail("issuer: is required. Set AUTHSRV_ISSUER to the URL this server is reached at, or try --demo.")
        secret_keys_of(settings, SystemEntropy())
        mail_ways_of(settings)
    except SettingsError as error:
        fail(str(error))
    return settings


def _prepare(settings: Settings) -> None:
    """Schema, keys and demo shop, before any worker starts: what is wrong is said once, here."""
    keys = secret_keys_of(settings, SystemEntropy())
    vault = _vault(settings)
    scopes = ScopeCatalogue.read(config_file("scopes.toml"))

    def fill(unit: Unit) -> None:
        ensure_keys(unit, vault)
        open_keys(unit, vault)
        if settings.demo:
            seed_demo(unit, keys, scopes)

    async def work(database: Database) -> None:
        await ensure_schema(database)
        await database.transact(fill)

    try:
        _with_database(settings, work)
    except SealBroken as broken:
        fail(f"A signing key in the database cannot be opened: {broken}. {_RESTORE_SECRET}")
    if settings.demo:
        typer.echo(demo_summary(settings, keys))


def _vault(settings: Settings) -> Vault:
    entropy = SystemEntropy()
    return Vault(secret_keys_of(settings, entropy), "signing key", entropy)


def _listen(host: str, port: int, workers: int, settings: Settings) -> None:
    config = uvicorn.Config(
        _APP,
        factory=True,
        host=host,
        port=port,
        http=BoundedHttp,
        # There is no door for them, and the library would only take memory.
        ws="none",
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        # Proxies are judged by our own rule, from trusted_proxies.
        proxy_headers=False,
        backlog=_PENDING_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.http.drain_seconds,
        # A worker that is still being started on a busy machine answers nobody, and must not be killed for it.
        timeout_worker_healthcheck=_WORKER_SILENCE_SECONDS,
        lifespan="on",
    )
    if workers > 1:
        with tempfile.TemporaryDirectory(prefix="authsrv-metrics-") as folder:
            os.environ[METRICS_FOLDER] = folder
            # Whoever runs several of these behind one address knows the number better.
            os.environ.setdefault("AUTHSRV_LIMITS__WORKERS", str(workers))
            supervisor = Supervisor(config, sockets=[_bind(host, port)])
            supervisor.run()
        if supervisor.has_failed:
            raise typer.Exit(1)
        return
    server = uvicorn.Server(config)
    # uvicorn raises the signal again once it has drained; having drained as asked is a success.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[_bind(host, port)])
    if not server.started:
        raise typer.Exit(1)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio's own loop too sends each answer at once (TCP_NODELAY) and not 40 ms later.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        fail(f"Cannot listen on {host}:{port}: {error.strerror}.")
    listener.set_inheritable(True)
    return listener


def _inspect_database(settings: Settings) -> list[Finding]:
    def look(unit: Unit) -> list[Finding]:
        found = inspect_clients(unit)
        try:
            keys = secret_keys_of(settings, SystemEntropy())
        except SettingsError:
            return found  # told already, and without keys there is nothing to open
        of_keys, of_webhooks = (Vault(keys, what, SystemEntropy()) for what in ("signing key", "webhook secret"))
        return [*found, *inspect_keys(unit, of_keys), *inspect_webhooks(unit, of_webhooks)]

    async def work(database: Database) -> list[Finding]:
        if not await schema_is_current(database):
            return [Finding("database", "the schema is not up to date", "run: authsrv migrate", unsafe=True)]
        return await database.transact(look, read_only=True)

    try:
        return _with_database(settings, work)
    except typer.Exit:
        return [Finding("database_url", "the database cannot be reached", "see the message above", unsafe=True)]


def _with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    async def go() -> T:
        database = command_database(settings)
        try:
            await database.start()
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(go())
    except SchemaOutOfDate as error:
        fail(str(error))
    except Unavailable as error:
        fail(f"{error.reason}.")
    except (OSError, asyncpg.PostgresError) as error:
        fail(f"The database cannot be reached: {error}.")


def _masked(settings: Settings) -> str:
    """The database's URL without its password."""
    try:
        url = make_url(settings.database_url.get_secret_value())
        told = {name: "***" if "password" in name.lower() else value for name, value in url.query.items()}
        return url.set(query=told).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "(not a URL)"


def _flat(values: dict[str, object], prefix: str = "") -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += _flat(value, f"{prefix}{name}.")
        else:
            lines.append((prefix + name, orjson.dumps(value).decode()))
    return lines
