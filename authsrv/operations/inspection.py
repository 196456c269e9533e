"""What `authsrv check` looks at: settings and clients that would be unsafe in production, each with its remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from authsrv.kit.mail import OUTBOX, read_mail_url, read_sender
from authsrv.kit.vault import SealBroken, Vault
from authsrv.oauth.keyring import open_keys
from authsrv.operations.secrets_file import secrets_path
from authsrv.settings import Settings, is_loopback_host, unknown_environment_names
from authsrv.storage.clients import list_clients
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import Webhook, list_all_webhooks


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth a person's attention; `unsafe` when production must not run with it."""

    name: str
    problem: str
    remedy: str
    unsafe: bool


def inspect_settings(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """What the settings alone give away."""
    if settings.demo:
        yield Finding("demo", "the demo shop and its known credentials are on", "unset AUTHSRV_DEMO", unsafe=True)
    yield from _inspect_issuer(settings)
    if settings.webhook_allow_loopback:
        problem = "whoever registers an app can make this server call services on its own machine"
        yield Finding("webhook_allow_loopback", problem, "unset AUTHSRV_WEBHOOK_ALLOW_LOOPBACK", unsafe=True)
    if settings.customer_api.allow_http:
        problem = "a proxy on this machine may pass on what came over plain http"
        yield Finding("customer_api.allow_http", problem, "unset AUTHSRV_CUSTOMER_API__ALLOW_HTTP", unsafe=True)
    yield from _inspect_secrets(settings)
    yield from _inspect_mail(settings)
    yield from _inspect_sender(settings)
    yield from _inspect_numbers(settings)
    if settings.registration == "open":
        problem = "is open: anybody may register apps, which people then see as ones that nobody vouches for"
        yield Finding("registration", problem, "set AUTHSRV_REGISTRATION=token to let in whom you know", unsafe=False)
    if any(network.num_addresses > 2**24 for network in settings.trusted_proxies):
        remedy = "name the proxies' own addresses or networks"
        yield Finding("trusted_proxies", "trusts so many addresses that callers can choose theirs", remedy, unsafe=True)
    for name in unknown_environment_names(environ):
        yield Finding(name, "is no setting of authsrv", "remove it, or correct its spelling", unsafe=False)


def inspect_clients(unit: Unit) -> list[Finding]:
    """Clients that were given less protection than the standard asks for."""
    return [
        Finding(
            f"app {client.client_id}",
            f"{client.name} may leave out PKCE",
            "let its library send PKCE, then register it with --pkce required",
            unsafe=False,
        )
        for client in list_clients(unit)
        if client.pkce == "optional"
    ]


def inspect_keys(unit: Unit, vault: Vault) -> list[Finding]:
    """Whether every signing key can be opened with the secret keys at hand."""
    try:
        open_keys(unit, vault)
    except SealBroken as broken:
        remedy = "put the secret key that sealed it back into AUTHSRV_SECRET_KEYS, behind the new one"
        return [Finding("secret_keys", f"a signing key cannot be opened: {broken}", remedy, unsafe=True)]
    return []


def inspect_webhooks(unit: Unit, vault: Vault) -> list[Finding]:
    """Whether every webhook's secret can be opened with the secret keys at hand."""
    broken = [webhook for webhook in list_all_webhooks(unit) if not _opens(vault, webhook)]
    remedy = "put the secret key that sealed it back behind the new one, or run: authsrv webhooks rotate-secret"
    return [
        Finding(f"webhook {webhook.id}", f"the secret for {webhook.url} cannot be opened", remedy, unsafe=True)
        for webhook in broken
    ]


def _opens(vault: Vault, webhook: Webhook) -> bool:
    try:
        vault.open(webhook.sealed_secret, webhook.id.bytes)
    except SealBroken:
        return False
    return True


def _inspect_issuer(settings: Settings) -> Iterator[Finding]:
    if not settings.issuer:
        yield Finding("issuer", "is not set", "set AUTHSRV_ISSUER to this server's public https URL", unsafe=True)
    elif not settings.issuer.startswith("https:"):
        yield Finding("issuer", "is not https", "put TLS in front and name the https URL", unsafe=True)
    elif is_loopback_host(urlsplit(settings.issuer).hostname or ""):
        yield Finding("issuer", "names this machine only", "name the host that people and apps use", unsafe=True)
    elif not settings.trusted_proxies:
        problem = "is empty, so what ends TLS is taken for the caller: requests are refused, or all share one limit"
        remedy = "set AUTHSRV_TRUSTED_PROXIES to the address of what ends TLS in front"
        yield Finding("trusted_proxies", problem, remedy, unsafe=False)


def _inspect_secrets(settings: Settings) -> Iterator[Finding]:
    texts = settings.secret_texts
    if not texts and not settings.is_sqlite:
        remedy = "set AUTHSRV_SECRET_KEYS to a random text of at least 32 bytes, the same for every process"
        yield Finding("secret_keys", "is not set", remedy, unsafe=True)
    for text in texts:
        if len(text.encode()) < 32:
            yield Finding(
                "secret_keys", "one is shorter than 32 bytes", "make one with: openssl rand -base64 48", unsafe=True
            )
        elif len(set(text)) < 12:
            yield Finding("secret_keys", "one is not random", "make one with: openssl rand -base64 48", unsafe=True)
    path = secrets_path(settings) if settings.is_sqlite and not texts else None
    if path is not None and path.exists() and path.stat().st_mode & 0o077:
        yield Finding(str(path), "others on this machine can read it", f"chmod 600 {path}", unsafe=True)
    file = make_url(settings.database_url.get_secret_value()).database if settings.is_sqlite else None
    if file and Path(file).exists() and Path(file).stat().st_mode & 0o077:
        yield Finding(file, "others on this machine can read it", f"chmod 600 {file}*", unsafe=True)


def _inspect_mail(settings: Settings) -> Iterator[Finding]:
    url = settings.mail_url.get_secret_value()
    remedy = "set AUTHSRV_MAIL_URL, as in smtp://user:pass@mail.shops.example:587?tls=starttls"
    try:
        server = read_mail_url(url)
    except ValueError as fault:
        yield Finding("mail_url", str(fault), remedy, unsafe=True)
        return
    if server is None:
        keeps, lacks = (
            "keeps sign-in codes in the database and sends none",
            "is not set, so nobody can sign in by a code",
        )
        yield Finding("mail_url", keeps if url == OUTBOX else lacks, remedy, unsafe=True)
    elif not (server.implicit_tls or server.start_tls or is_loopback_host(server.host)):
        problem = "mail, and with it codes, may travel unencrypted"
        yield Finding("mail_url", problem, "add ?tls=starttls, or use smtps://", unsafe=False)


def _inspect_sender(settings: Settings) -> Iterator[Finding]:
    remedy = "set AUTHSRV_MAIL_FROM to an address of your domain"
    try:
        sender = read_sender(settings.mail_from)
    except ValueError as fault:
        yield Finding("mail_from", str(fault), remedy, unsafe=True)
        return
    if sender.domain == "localhost":
        yield Finding("mail_from", "is an address that no mail server accepts", remedy, unsafe=False)


def _inspect_numbers(settings: Settings) -> Iterator[Finding]:
    if settings.keys.jwks_max_age_seconds * 2 > settings.keys.announce_seconds:
        problem = "verifiers may still hold a JWKS without the new key when it begins to sign"
        yield Finding("keys.announce_seconds", problem, "make it at least twice keys.jwks_max_age_seconds", unsafe=True)
    if settings.feed.max_age_seconds > 1:
        problem = "a revoked token may pass for longer than a second"
        yield Finding("feed.max_age_seconds", problem, "set it to 1 or less", unsafe=True)
    if settings.feed.poll_seconds >= settings.feed.max_age_seconds:
        problem = "requests have to wait for readings of the feed"
        yield Finding("feed.poll_seconds", problem, "make it less than half of feed.max_age_seconds", unsafe=False)
    if settings.tokens.access_seconds > 86_400:
        yield Finding("tokens.access_seconds", "is more than a day", "an hour is usual", unsafe=False)
