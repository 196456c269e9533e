"""Builds the Starlette app from Settings: every part is made here, once, and handed down."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import cast

import structlog
from starlette.applications import Starlette
from starlette.routing import Route

from authsrv.identity.api_keys import ApiKeys
from authsrv.identity.principals import Principals
from authsrv.identity.revocations import RevocationList
from authsrv.identity.sessions import Sessions
from authsrv.identity.sign_in import MailLimit, SignIns
from authsrv.identity.stores import StoreDirectory
from authsrv.kit.clock import Clock, SystemClock
from authsrv.kit.entropy import Entropy, SystemEntropy
from authsrv.kit.errors import Unavailable
from authsrv.kit.handles import HandleSealer
from authsrv.kit.identifiers import Identifiers, RequestNames
from authsrv.kit.outbound import Outbound
from authsrv.kit.passwords import Passwords
from authsrv.kit.pictures import LogoPainter
from authsrv.kit.rates import read_rate
from authsrv.kit.vault import SealBroken, Vault
from authsrv.oauth.client_assertion import ClientAssertions
from authsrv.oauth.client_documents import ClientDocuments
from authsrv.oauth.client_keys import ClientKeys
from authsrv.oauth.clients import ClientDirectory
from authsrv.oauth.consent import Consents
from authsrv.oauth.id_tokens import IdTokens
from authsrv.oauth.issuing import Issuing
from authsrv.oauth.keyring import Keyring, ensure_keys
from authsrv.oauth.logout_tokens import KIND as BACKCHANNEL_LOGOUT
from authsrv.oauth.logout_tokens import BackchannelLogout
from authsrv.oauth.registering import Registrar
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.oauth.server import ProtocolServer
from authsrv.oauth.tokens import AccessTokens
from authsrv.operations.background import START_AGAIN_SECONDS, end, survive
from authsrv.operations.deliveries import DeliveryWorker
from authsrv.operations.demo import demo_credentials, seed_demo
from authsrv.operations.feed import FeedReader
from authsrv.operations.housekeeping import Housekeeping
from authsrv.operations.key_uses import KeyUses
from authsrv.operations.logs import log_request, set_up_logs
from authsrv.operations.memory import settle_memory
from authsrv.operations.metrics import Metrics
from authsrv.operations.schema import ensure_schema
from authsrv.operations.secrets_file import secret_keys_of
from authsrv.operations.usage import UsageWriter
from authsrv.operations.webhook_watch import WebhookWatch
from authsrv.routes import DIALECTS, DOORS, build_routes, gate_rules, metadata_paths
from authsrv.settings import Settings, SettingsError, config_file, load_settings
from authsrv.shop.events import KIND as WEBHOOK
from authsrv.shop.webhooks import Webhooks
from authsrv.storage.database import Database
from authsrv.storage.unit import Notice, Unit
from authsrv.web.chosen_limits import chosen_limits
from authsrv.web.doors import Dialect
from authsrv.web.gate import Gate, Observer
from authsrv.web.hall import Hall
from authsrv.web.outbox import choose_mailer
from authsrv.web.runtime import Runtime
from authsrv.web.stationery import Stationery
from authsrv.web.usage import UsageCounter

log = structlog.get_logger(__name__)


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    dialects: Sequence[Dialect] = DIALECTS,
) -> Starlette:
    """The authorization server as an ASGI app; without settings it reads them as `authsrv serve` does.

    `dialects`: which of `authsrv.routes.DIALECTS` it speaks; at the doors of the others nobody answers.

    Mounted in another app, run its lifespan in the host's: `lifespan=lambda _: auth.router.lifespan_context(auth)`,
    and add `well_known_routes(auth)` to the host's routes.
    Raises SettingsError for settings that cannot be used.
    """
    settings = settings or load_settings()
    if not settings.issuer:
        raise SettingsError("issuer: is required; set AUTHSRV_ISSUER to the URL people and apps reach this server at")
    return _House(settings, clock or SystemClock(), entropy or SystemEntropy(), dialects=dialects).app


def well_known_routes(app: Starlette) -> list[Route]:
    """Routes for the app that mounts this one: where RFC 8414 and RFC 9728 look for an issuer that has a path.

    `app` is what `create_app` returned; its issuer is the URL it is mounted at.
    """
    path = cast("Hall", app).runtime.settings.issuer_path
    inserted = []
    for door in DOORS:
        head = "/".join(door.path.split("/")[:3])
        if head.startswith("/.well-known/"):
            inserted.append(Route(head + path + door.path.removeprefix(head), app))
    return inserted


def worker_app() -> Starlette:
    """What each process of `authsrv serve` runs: the app, with its logs."""
    settings = load_settings()
    log_answered = set_up_logs(settings.log, settings.log_level)
    return _House(settings, SystemClock(), SystemEntropy(), log_answered, owns_process=True).app


class _House:
    """All parts of one app, wired."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        entropy: Entropy,
        log_answered: Observer = log_request,
        *,
        dialects: Sequence[Dialect] = DIALECTS,
        owns_process: bool = False,
    ) -> None:
        identifiers = Identifiers(clock, entropy)
        self._log_answered = log_answered
        self._owns_process = owns_process
        self._settings = settings
        self._clock = clock
        self._entropy = entropy
        self._keys = keys = secret_keys_of(settings, entropy)
        self._vault = Vault(keys, "signing key", entropy)
        self._database = self._open_database(identifiers)
        self._scopes = ScopeCatalogue.read(config_file("scopes.toml"))
        self._revocations = RevocationList(clock)
        self._keyring = Keyring(self._vault, clock)
        self._clients = ClientDirectory()
        self._api_keys = ApiKeys(settings.issuer, clock)
        self._outbound = Outbound(allow_loopback=settings.webhook_allow_loopback)
        self._stores = StoreDirectory()
        self._sealer = HandleSealer(keys)
        self._id_tokens = IdTokens(issuer=settings.issuer, keyring=self._keyring, clock=clock)
        self._tokens = self._begin_tokens(identifiers)
        self._feed = self._begin_feed()
        self._sessions = Sessions(
            self._sealer,
            idle_seconds=settings.sessions.idle_seconds,
            absolute_seconds=settings.sessions.absolute_seconds,
        )
        self._consents = Consents(
            stores=self._stores,
            id_tokens=self._id_tokens,
            lifetimes=settings.tokens,
            default_store=settings.default_store,
        )
        self._passwords = Passwords()
        self._stationery = Stationery()
        self._mailer = choose_mailer(settings, self._database, clock)
        self._deliveries = self._begin_deliveries(clock, entropy, identifiers)
        holder = identifiers.next().hex
        self._housekeeping = Housekeeping(self._database, self._vault, settings, clock, holder)
        self._usage = UsageCounter()
        self._usage_writer = UsageWriter(self._database, self._usage, clock)
        self._database.listen(self._hear)
        self._database.listen(self._feed.note_own)
        self._database.listen(self._deliveries.hear)
        self.app = self._build_app(clock, identifiers, dialects)
        self._key_uses = KeyUses(self._database, self._api_keys, self.app.runtime.server.secret_uses)

    def _open_database(self, identifiers: Identifiers) -> Database:
        url, settings = self._settings.database_url.get_secret_value(), self._settings.database
        size, seconds = settings.pool_size, settings.timeout_seconds
        try:
            return Database(url, clock=self._clock, identifiers=identifiers, pool_size=size, timeout_seconds=seconds)
        except ValueError as fault:
            raise SettingsError(str(fault)) from None

    def _begin_tokens(self, identifiers: Identifiers) -> AccessTokens:
        return AccessTokens(
            issuer=self._settings.issuer,
            keyring=self._keyring,
            clients=self._clients,
            sealer=self._sealer,
            revocations=self._revocations,
            clock=self._clock,
            identifiers=identifiers,
            vault=Vault(self._keys, "person", self._entropy),
            access_seconds=self._settings.tokens.access_seconds,
        )

    def _begin_feed(self) -> FeedReader:
        return FeedReader(
            self._database,
            self._revocations,
            self._clock,
            hear=self._hear,
            start_over=self._start_over,
            after_reading=self._reload_keys,
            poll_seconds=self._settings.feed.poll_seconds,
            max_age_seconds=self._settings.feed.max_age_seconds,
        )

    def _begin_deliveries(self, clock: Clock, entropy: Entropy, identifiers: Identifiers) -> DeliveryWorker:
        logout = BackchannelLogout(
            issuer=self._settings.issuer,
            keyring=self._keyring,
            clients=self._clients,
            identifiers=identifiers,
            clock=clock,
        )
        self._sessions.on_end(logout.queue_logouts)
        webhooks = self._webhooks = Webhooks(
            Vault(self._keys, "webhook secret", entropy), entropy, allow_loopback=self._settings.webhook_allow_loopback
        )
        watch = WebhookWatch(webhooks, self._mailer, self._stationery)
        return DeliveryWorker(
            self._database,
            self._outbound,
            {BACKCHANNEL_LOGOUT: logout.word, WEBHOOK: webhooks.word},
            entropy,
            clock,
            witnesses={WEBHOOK: watch.witness},
        )

    def _build_app(self, clock: Clock, identifiers: Identifiers, dialects: Sequence[Dialect]) -> Hall:
        metrics = Metrics()
        limits = chosen_limits(self._settings, clock)
        take_reading = metrics.watch(
            feed_age=self._revocations.age_seconds,
            statements=lambda: self._database.statements,
            redis_away=lambda: limits.is_redis_away,
        )
        app = Hall(build_routes(dialects), self._live)
        app.gate = Gate(
            app.router,
            settings=self._settings,
            rules=gate_rules(dialects),
            clock=clock,
            names=RequestNames(self._entropy),
            observe=(metrics.observe, self._log_answered),
            usage=self._usage,
        )
        app.state.metrics = metrics
        app.state.take_reading = take_reading
        app.state.write_usage = self._usage_writer.write
        app.runtime = Runtime(
            settings=self._settings,
            clock=clock,
            entropy=self._entropy,
            database=self._database,
            server=ProtocolServer(
                issuer=self._settings.issuer,
                scopes=self._scopes,
                clients=self._clients,
                assertions=ClientAssertions(
                    issuer=self._settings.issuer,
                    token_endpoint=self._settings.issuer + metadata_paths()["token_endpoint"],
                    keys=ClientKeys(self._outbound.fetch_json, clock),
                    clock=clock,
                ),
                issuing=Issuing(tokens=self._tokens, id_tokens=self._id_tokens, sealer=self._sealer),
                lifetimes=self._settings.tokens,
                clock=clock,
            ),
            keyring=self._keyring,
            stores=self._stores,
            principals=Principals([self._api_keys.read, self._tokens.find_principal]),
            identifiers=identifiers,
            sealer=self._sealer,
            sessions=self._sessions,
            consents=self._consents,
            sign_ins=SignIns(self._keys, _mail_limit(self._settings)),
            passwords=self._passwords,
            painter=LogoPainter(),
            mailer=self._mailer,
            limits=limits,
            documents=ClientDocuments(
                self._outbound.fetch,
                self._scopes,
                clock,
                is_on=self._settings.cimd,
                allow_loopback=self._settings.webhook_allow_loopback,
            ),
            registrar=Registrar(
                mode=self._settings.registration, sealer=self._sealer, scopes=self._scopes, entropy=self._entropy
            ),
            webhooks=self._webhooks,
            stationery=self._stationery,
            metadata_paths=metadata_paths(),
            ensure_fresh=self._feed.ensure_fresh,
            readiness=self._readiness,
            demo_credentials=demo_credentials(self._keys) if self._settings.demo else None,
        )
        return app

    @asynccontextmanager
    async def _live(self, app: Hall) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._database.close)
            stack.push_async_callback(self._outbound.close)
            stack.callback(self._passwords.close)
            stack.callback(app.runtime.painter.close)
            stack.push_async_callback(app.runtime.limits.close)
            # What this process alone knows is written down before it ends.
            stack.push_async_callback(self._key_uses.write)
            stack.push_async_callback(self._usage_writer.write)
            # A reading that outlives those who asked for it ends before its connection does.
            stack.push_async_callback(self._feed.settle)
            await self._begin()
            if self._owns_process:
                settle_memory()
            beside: tuple[Callable[[], Awaitable[None]], ...] = (
                self._feed.run,
                self._feed.listen,
                self._housekeeping.run,
                self._key_uses.run,
                self._usage_writer.run,
                self._deliveries.run,
                partial(self._measure, app),
            )
            for work in beside:
                stack.push_async_callback(end, asyncio.create_task(survive(work)))
            yield

    async def _begin(self) -> None:
        """Makes ready what requests need, and waits for a database that is away.

        A worker that gave up at once would take the others with it: the supervisor ends when one cannot start.
        """
        began_at = self._clock.monotonic()
        while True:
            try:
                await self._database.start()
                await ensure_schema(self._database)
                await self._database.transact(self._prepare)
                await self._feed.read()
            except Unavailable as away:
                if self._clock.monotonic() - began_at > self._settings.database.start_seconds:
                    raise
                log.warning("start waits for the database", reason=away.reason)
            else:
                return
            await self._database.close()
            await asyncio.sleep(START_AGAIN_SECONDS)

    def _prepare(self, unit: Unit) -> None:
        ensure_keys(unit, self._vault)
        if self._settings.demo:
            seed_demo(unit, self._keys, self._scopes)

    def _hear(self, notices: Sequence[Notice]) -> None:
        self._revocations.apply(notices)
        self._clients.hear(notices)
        self._api_keys.hear(notices)
        self._stores.hear(notices)
        self._keyring.hear(notices)

    def _start_over(self) -> None:
        self._clients.clear()
        self._api_keys.clear()
        self._stores.clear()
        self._keyring.is_stale = True

    async def _reload_keys(self) -> None:
        if self._keyring.is_stale:
            try:
                await self._database.transact(self._keyring.load, read_only=True)
            except BaseException as error:
                self._keyring.is_stale = True
                if isinstance(error, SealBroken):
                    raise Unavailable(f"a signing key cannot be opened: {error}") from error
                raise
            self._tokens.forget()

    async def _readiness(self) -> dict[str, str]:
        """`ok` or what is wrong, for each part a request may need."""
        try:
            await self._feed.read()
        except Unavailable as away:
            return {"database": away.reason or "away", "keys": "ok" if len(self._keyring) else "none"}
        return {"database": "ok", "keys": "ok" if len(self._keyring) else "none"}

    async def _measure(self, app: Starlette) -> None:
        while True:
            app.state.take_reading()
            await asyncio.sleep(1)


def _mail_limit(settings: Settings) -> MailLimit | None:
    rate = read_rate(settings.limits.sign_in_per_email)
    return MailLimit(rate.amount, timedelta(seconds=rate.seconds)) if rate else None
