"""One frozen Settings, read at start and handed down: defaults, demo layer, one TOML file, then the environment."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import reduce
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from limits import parse as parse_rate
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

ENVIRONMENT_PREFIX = "AUTHSRV_"
# With two slashes, `sqlite://var/authsrv.db` would name a host.
_DATABASE = re.compile(r"sqlite(\+\w+)?:///(?!$|\?|:memory:)|postgres(ql)?(\+\w+)?://")
_NO_SMTP = {"", "outbox:"}
# Read by the process itself, before there are settings.
_BOOT_NAMES = {"AUTHSRV_CONFIG"}


class SettingsError(Exception):
    """The settings cannot be used; the text says which one and what to do."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DatabaseSettings(_Section):
    pool_size: int = Field(ge=1, le=200)
    timeout_seconds: float = Field(gt=0)
    start_seconds: float = Field(ge=0)


class HttpSettings(_Section):
    body_limit_bytes: int = Field(ge=1024)
    drain_seconds: int = Field(ge=0)


class TokenSettings(_Section):
    access_seconds: int = Field(ge=30, le=2_678_400)
    refresh_idle_seconds: int = Field(ge=60)
    grant_seconds: int = Field(ge=60)
    code_seconds: int = Field(ge=5, le=600)
    refresh_grace_public_seconds: int = Field(ge=0, le=600)
    refresh_grace_confidential_seconds: int = Field(ge=0)


class KeySettings(_Section):
    rotate_after_seconds: int = Field(ge=60)
    announce_seconds: int = Field(ge=0)
    jwks_max_age_seconds: int = Field(ge=0)


class FeedSettings(_Section):
    poll_seconds: float = Field(gt=0)
    max_age_seconds: float = Field(gt=0)


class SessionSettings(_Section):
    idle_seconds: int = Field(ge=60)
    absolute_seconds: int = Field(ge=60)
    fresh_seconds: int = Field(ge=60)


class LimitSettings(_Section):
    sign_in_per_address: str
    sign_in_per_store: str
    sign_in_per_email: str
    token_per_client: str
    api_per_credential: str
    registration_per_address: str
    workers: int = Field(ge=1, le=10_000)

    @field_validator(
        "sign_in_per_address",
        "sign_in_per_store",
        "sign_in_per_email",
        "token_per_client",
        "api_per_credential",
        "registration_per_address",
    )
    @classmethod
    def _rate(cls, text: str) -> str:
        if text.strip().lower() != "off":
            try:
                parse_rate(text)
            except ValueError:
                raise ValueError("must be a rate such as 30/10minutes, or off") from None
        return text


class CustomerApiSettings(_Section):
    allow_http: bool


class PruningSettings(_Section):
    every_seconds: float = Field(gt=0)
    batch: int = Field(ge=1, le=10_000)
    audit_seconds: int = Field(ge=86_400)
    usage_seconds: int = Field(ge=86_400)


class _Environment(EnvSettingsSource):
    """A section comes by its members (`AUTHSRV_DATABASE__POOL_SIZE`), never whole.

    What is called `AUTHSRV_DATABASE` is an orchestrator's, or a slip, and warned of like any unknown name.
    """

    def prepare_field_value(self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool) -> Any:  # noqa: FBT001  # pydantic's own
        return super().prepare_field_value(field_name, field, None if _is_section(field) else value, value_is_complex)


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


class Settings(BaseSettings):
    """Everything an installation may choose. What each is for stands in `config/defaults.toml`."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    demo: bool
    issuer: str
    database_url: SecretStr
    secret_keys: SecretStr
    store_hosts: str
    default_store: str
    mail_url: SecretStr
    mail_from: str
    rate_limit_url: SecretStr
    registration: Literal["closed", "token", "open"]
    cimd: bool
    webhook_allow_loopback: bool
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode]
    log: Literal["", "text", "json"]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    database: DatabaseSettings
    http: HttpSettings
    tokens: TokenSettings
    keys: KeySettings
    feed: FeedSettings
    sessions: SessionSettings
    limits: LimitSettings
    customer_api: CustomerApiSettings
    pruning: PruningSettings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return _Environment(settings_cls), init_settings

    @field_validator("issuer")
    @classmethod
    def _issuer(cls, issuer: str) -> str:
        return _checked_issuer(issuer.rstrip("/")) if issuer else issuer

    @field_validator("store_hosts")
    @classmethod
    def _store_hosts(cls, pattern: str) -> str:
        if pattern.count("{prefix}") != 1:
            raise ValueError("must contain {prefix} once, as in {prefix}.shops.example")
        return pattern.lower()

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, url: SecretStr) -> SecretStr:
        if not _DATABASE.match(url.get_secret_value()):
            raise ValueError("must be sqlite:///path or postgresql://user@host:port/db")
        return url

    @field_validator("mail_url")
    @classmethod
    def _mail_url(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("smtp://", "smtps://")) and url.get_secret_value() not in _NO_SMTP:
            raise ValueError("must be smtp://user:pass@host:port?tls=starttls, smtps://…, or outbox:")
        return url

    @field_validator("rate_limit_url")
    @classmethod
    def _rate_limit_url(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("memory://", "redis://", "rediss://")):
            raise ValueError("must be memory:// or redis://host:port/0")
        try:
            _ = urlsplit(url.get_secret_value()).port
        except ValueError:
            # What it says quotes what it stumbled over, which may be half a password.
            raise ValueError("has no host and port; a password has / as %2F, ? as %3F, # as %23") from None
        return url

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _proxies(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())
        return value

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.get_secret_value().startswith("sqlite:")

    @property
    def secret_texts(self) -> tuple[str, ...]:
        """The secret keys, the sealing one first; empty when none is set."""
        texts = self.secret_keys.get_secret_value().split(",")
        return tuple(text.strip() for text in texts if text.strip())

    @property
    def issuer_path(self) -> str:
        """The issuer's path: empty, or with a slash in front and none behind."""
        return urlsplit(self.issuer).path


def load_settings(**overrides: object) -> Settings:
    """The effective settings; `overrides` lie above the files and below the environment.

    Raises SettingsError for a file that cannot be read, an unknown name in it, or a value that does not fit.
    """
    layers = [_read(config_file("defaults.toml"))]
    own = _read(Path(path)) if (path := os.environ.get("AUTHSRV_CONFIG")) else {}
    _refuse_unknown_names(own, Settings, path or "")
    if _is_demo(overrides, own):
        layers.append(_read(config_file("development.toml")))
    merged = reduce(_merge, [*layers, own, overrides])
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None


def unknown_environment_names(environ: Mapping[str, str]) -> list[str]:
    """Names that look like ours and are not: worth a warning, since orchestrators put their own there."""
    known = {name.upper() for name in setting_names()} | _BOOT_NAMES
    return sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX) and name.upper() not in known)


def setting_names() -> Iterator[str]:
    """Every setting as an environment name."""
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            for inner in section.model_fields:
                yield f"{ENVIRONMENT_PREFIX}{name}__{inner}".upper()
        else:
            yield f"{ENVIRONMENT_PREFIX}{name}".upper()


def config_file(name: str) -> Path:
    """A file of `config/`: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "config" / name
    return inside if inside.exists() else package.parent / "config" / name


def is_loopback_host(host: str) -> bool:
    """Whether the host (no port) can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _checked_issuer(issuer: str) -> str:
    if not issuer.isascii() or not issuer.isprintable() or " " in issuer:
        raise ValueError("has characters a URL cannot have (RFC 3986, 2)")
    parts = urlsplit(issuer)
    if parts.scheme not in {"http", "https"} or not _names_a_host(parts):
        raise ValueError("must be a URL such as https://auth.shops.example")
    if parts.scheme == "http" and not is_loopback_host(parts.hostname or ""):
        raise ValueError("must be https: plain http is for loopback hosts only")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must have no query, fragment or user name (RFC 8414, 2)")
    return issuer


def _names_a_host(parts: SplitResult) -> bool:
    try:
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_demo(overrides: Mapping[str, object], own: Mapping[str, object]) -> bool:
    spoken = os.environ.get("AUTHSRV_DEMO") or overrides.get("demo") or own.get("demo") or ""
    return str(spoken).lower() in {"1", "true", "yes", "on"}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from None


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = _merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged


def _refuse_unknown_names(values: Mapping[str, Any], model: type[BaseModel], path: str, section: str = "") -> None:
    for name, value in values.items():
        field = model.model_fields.get(name)
        if field is None:
            near = get_close_matches(name, model.model_fields, n=1, cutoff=0.5)
            hint = f"; did you mean {section}{near[0]}?" if near else ""
            raise SettingsError(f"{path}: there is no setting {section}{name}{hint}")
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and isinstance(value, Mapping):
            _refuse_unknown_names(value, inner, path, f"{name}.")


def _explain(error: ValidationError) -> str:
    """Each fault on a line, without the value: it may be a secret."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in fault["loc"])
        lines.append(f"{name}: {fault['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)
