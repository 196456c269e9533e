"""The gate every request passes: who calls, over what, for which store, and what goes out with each answer."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authsrv.kit.clock import Clock
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import RequestNames
from authsrv.settings import Settings
from authsrv.web.addresses import Caller, caller_of, host_of
from authsrv.web.context import Context, put_context
from authsrv.web.limits import allowance_of
from authsrv.web.usage import UsageCounter, note_refusal
from authsrv.web.voices import Voices, from_http_exception

log = structlog.get_logger("authsrv.request")

# Probes come from the machine's own network, before any TLS.
_PLAIN_HTTP_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
_STORE_PATH = re.compile(r"/stores/([a-z0-9][a-z0-9-]{0,39})(?=/|$)")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_HEADERS_OVER_TLS = (*_HEADERS, (b"strict-transport-security", b"max-age=31536000"))
_HEADER_NAMES = re.compile(rb"[\w-]{1,100}( *, *[\w-]{1,100}){0,50}")
_CORS_ANSWER = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"WWW-Authenticate, Link, X-Total-Count, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id",
    ),
)
# What the gate puts on an answer, unless the answer has its own.
_ADDED = frozenset(
    {b"x-request-id", b"ratelimit", b"ratelimit-policy"} | {name for name, _ in (*_HEADERS_OVER_TLS, *_CORS_ANSWER)}
)
_CORS_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key")
_CORS_PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
    "access-control-max-age": "600",
    "vary": "Access-Control-Request-Method, Access-Control-Request-Headers",
}


@dataclass(slots=True)
class Answered:
    """What became of a request; `route` is the template, not the path: some paths carry a token."""

    method: str
    route: str
    status: int
    seconds: float
    client_address: str
    request_id: str


# Called once for each request, when all is said.
Observer = Callable[[Answered], None]


@dataclass(frozen=True, slots=True)
class GateRules:
    """What differs by path: who may call it, how much it takes, and how errors are worded there."""

    cors_prefixes: tuple[str, ...]
    # Paths that take more than others, and how many bytes.
    largest_bodies: tuple[tuple[re.Pattern[str], int], ...]
    cors_headers: tuple[str, ...]
    voices: Voices


class Gate:
    """One pure ASGI layer, so that its cost is one call."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        rules: GateRules,
        clock: Clock,
        names: RequestNames,
        observe: Sequence[Observer],
        usage: UsageCounter,
    ) -> None:
        self._app = app
        self._rules = rules
        self._clock = clock
        self._names = names
        self._observe = observe
        self._usage = usage
        allowed = ", ".join((*_CORS_HEADERS, *rules.cors_headers))
        self._preflight = {**_CORS_PREFLIGHT, "access-control-allow-headers": allowed}
        self._proxies = settings.trusted_proxies
        self._body_limit = settings.http.body_limit_bytes
        self._issuer_path = settings.issuer_path
        self._inserted_path = re.compile(rf"(/\.well-known/[a-z-]+){re.escape(settings.issuer_path)}(?=/|$)")
        self._issuer_host = urlsplit(settings.issuer).hostname
        before, after = settings.store_hosts.split("{prefix}")
        self._store_host = re.compile(re.escape(before) + r"([a-z0-9][a-z0-9-]{0,39})" + re.escape(after))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()
        if self._issuer_path:
            scope = self._find_inserted(scope)
        headers = dict(scope["headers"])
        caller = caller_of(scope, self._proxies)
        context = self._name(scope, headers, caller)
        answer = self._answer(scope, send, context)
        try:
            _refuse_plain(scope, caller)
            _refuse_unnamed(scope, headers)
            if (
                scope["method"] == "OPTIONS"
                and b"access-control-request-method" in headers
                and answer.allows_any_origin
            ):
                await Response(status_code=204, headers=self._preflight_for(headers))(scope, receive, answer.send)
            else:
                await self._app(scope, self._limited(scope, headers, receive), answer.send)
        except Exception as error:  # the last place where anything can still be answered
            if answer.has_begun:
                raise
            await self._word(scope, error)(scope, receive, answer.send)
        finally:
            self._record(scope, context, answer.status, self._clock.monotonic() - began)

    def _find_inserted(self, scope: Scope) -> Scope:
        """Takes the issuer's path out of a well-known URL it was inserted in (RFC 8414, 3.1; RFC 9728, 3.1)."""
        path: str = scope["path"]
        if match := self._inserted_path.match(path):
            # A copy: an app around this one goes on seeing what was asked for.
            return {**scope, "path": match[1] + path[match.end() :]}
        return scope

    def _name(self, scope: Scope, headers: dict[bytes, bytes], caller: Caller) -> Context:
        """Finds the store, moves the part of the path that names it (or the issuer's path) to `root_path`."""
        if self._issuer_path:
            _enter(scope, self._issuer_path)
        store, by_host = None, False
        host = host_of(headers, caller)
        # auth.shops.example fits {prefix}.shops.example, and yet it is no store.
        if host != self._issuer_host and (match := self._store_host.fullmatch(host)):
            store, by_host = match[1], True
        if "/stores/" in scope["path"] and (match := _STORE_PATH.match(_path_within(scope))):
            store, by_host = match[1], False
            _enter(scope, match[0])
        context = Context(self._names.next(), store, caller.address, caller.is_secure, by_host, headers)
        put_context(scope, context)
        return context

    def _answer(self, scope: Scope, send: Send, context: Context) -> "_Answer":
        added = [
            *(_HEADERS_OVER_TLS if context.is_secure else _HEADERS),
            (b"x-request-id", context.request_id.encode()),
        ]
        cross_origin = b"origin" in context.headers and _path_within(scope).startswith(self._rules.cors_prefixes)
        if cross_origin:
            added.extend(_CORS_ANSWER)
        return _Answer(scope, send, added, allows_any_origin=cross_origin)

    def _preflight_for(self, headers: dict[bytes, bytes]) -> dict[str, str]:
        """A script may send whatever it asks to send along, since nothing of the browser's own goes with it."""
        asked = headers.get(b"access-control-request-headers", b"")
        if not _HEADER_NAMES.fullmatch(asked):
            return self._preflight
        allowed = f"{self._preflight['access-control-allow-headers']}, {asked.decode('ascii')}"
        return {**self._preflight, "access-control-allow-headers": allowed}

    def _limited(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Receive:
        """Refuses a body that says it is too large, and stops one that turns out to be."""
        length = headers.get(b"content-length")
        if length is None and b"transfer-encoding" not in headers:
            return receive
        if length is not None and int(length) <= self._body_limit:
            return receive  # the HTTP parser holds the sender to the length it named
        limit = self._largest_body(scope)
        if length is not None and int(length) > limit:
            raise _too_large(limit)
        if length is not None:
            return receive
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        return counted

    def _largest_body(self, scope: Scope) -> int:
        path = _path_within(scope)
        own = (size for pattern, size in self._rules.largest_bodies if pattern.match(path))
        return max(self._body_limit, next(own, 0))

    def _word(self, scope: Scope, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            error = from_http_exception(error)
        elif isinstance(error, ClientDisconnect):
            # Nobody hears this; it keeps a caller who left from counting as a fault of ours.
            error = DomainError("invalid_request", 400, "The body ended early.")
        if not isinstance(error, DomainError):
            log.error("request failed", exc_info=error)
            error = DomainError("internal_error", 500, "Something went wrong on our side.")
        elif error.status >= 500:
            log.warning("request refused", status=error.status, reason=error.reason or error.code)
        note_refusal(scope, error.code)
        return self._rules.voices.word(scope, _path_within(scope), error)

    def _record(self, scope: Scope, context: Context, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "(none)"
        answered = Answered(scope["method"], route, status, seconds, context.client_address, context.request_id)
        for observe in self._observe:
            observe(answered)
        self._usage.count(scope, status)


class _Answer:
    """Watches the answer go out and puts the gate's headers on it."""

    __slots__ = ("_headers", "_scope", "_send", "allows_any_origin", "has_begun", "status")

    def __init__(
        self, scope: Scope, send: Send, headers: list[tuple[bytes, bytes]], *, allows_any_origin: bool
    ) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self.allows_any_origin = allows_any_origin
        self.has_begun = False
        self.status = 500

    async def send(self, message: Message) -> None:
        if not self.has_begun:
            self.has_begun = True
            self.status = message["status"]
            own, added = message["headers"], self._headers
            if (allowance := allowance_of(self._scope)) is not None:
                added.extend(allowance.headers())
            names = {name for name, _ in own}
            if not names.isdisjoint(_ADDED):
                added = [header for header in added if header[0] not in names]
            message["headers"] = own + added
        await self._send(message)


def _path_within(scope: Scope) -> str:
    """The path below `root_path`."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root else path


def _refuse_plain(scope: Scope, caller: Caller) -> None:
    """Plain HTTP is for this machine and for probes; a redirect would only hide that a secret crossed the wire."""
    if not (caller.is_secure or caller.is_loopback or _path_within(scope) in _PLAIN_HTTP_PATHS):
        raise DomainError("https_required", 403, "This server answers over HTTPS only.")


def _refuse_unnamed(scope: Scope, headers: dict[bytes, bytes]) -> None:
    """RFC 9112, 3.2: one Host header, no less and no more."""
    if b"host" not in headers and scope["http_version"] == "1.1":
        raise DomainError("invalid_request", 400, "The Host header is missing.")
    if len(headers) < len(scope["headers"]) and sum(name == b"host" for name, _ in scope["headers"]) > 1:
        raise DomainError("invalid_request", 400, "There is more than one Host header.")


def _enter(scope: Scope, prefix: str) -> None:
    """Moves a prefix of the path to `root_path`, where the ASGI specification wants what an app is mounted under."""
    root: str = scope.get("root_path", "")
    within = _path_within(scope)
    if prefix and not root.endswith(prefix) and (within == prefix or within.startswith(prefix + "/")):
        scope["root_path"] = root + prefix


def _too_large(limit: int) -> DomainError:
    return DomainError("payload_too_large", 413, f"The body is larger than {limit} bytes.")
