"""Every setting stands in one file, with its default and the reason why it is there."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from authsrv.settings import config_file, load_settings, setting_names

DEFAULTS = config_file("defaults.toml").read_text(encoding="utf-8")


def names_in(values: dict[str, Any], prefix: str = "AUTHSRV_") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from names_in(value, f"{prefix}{name}__")
        else:
            yield f"{prefix}{name}".upper()


def test_the_defaults_name_every_setting_and_nothing_else() -> None:
    assert sorted(names_in(tomllib.loads(DEFAULTS))) == sorted(setting_names())


def test_every_setting_is_explained_on_the_line_above() -> None:
    lines = DEFAULTS.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"[a-z_]+ = ", line):
            assert lines[number - 1].startswith("# "), line


def test_the_other_files_name_no_setting_that_there_is_not() -> None:
    known = set(setting_names())
    for name in ("development.toml", "production.toml"):
        values = tomllib.loads(config_file(name).read_text(encoding="utf-8"))
        assert set(names_in(values)) <= known


def test_production_starts_from_settings_that_can_be_used(monkeypatch: Any) -> None:
    monkeypatch.setenv("AUTHSRV_CONFIG", str(config_file("production.toml")))
    settings = load_settings()
    assert settings.issuer.startswith("https://")
    assert settings.demo is False


def test_every_scope_has_a_sentence_that_people_can_read() -> None:
    scopes = tomllib.loads(config_file("scopes.toml").read_text(encoding="utf-8"))
    assert list(scopes) == [
        "openid",
        "profile",
        "email",
        "offline_access",
        "orders:read",
        "orders:write",
        "products:read",
        "account:read",
        "cart",
        "webhooks",
    ]
    for scope in scopes.values():
        assert scope["sentence"][0].isupper()
        assert not scope["sentence"].endswith(".")
