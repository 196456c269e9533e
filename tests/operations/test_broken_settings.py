"""Settings that no server can run with: `check` finds them, `serve` and `create_app` refuse them, all by their name."""

import os
from pathlib import Path

import pytest

from authsrv import create_app, load_settings
from authsrv.settings import SettingsError
from tests.actors import Operator

SOUND = {
    "AUTHSRV_ISSUER": "https://auth.shops.example",
    "AUTHSRV_SECRET_KEYS": "0123456789abcdefghijklmnopqrstuvwxyz-secret",
    "AUTHSRV_MAIL_URL": "smtps://mail.shops.example",
    "AUTHSRV_MAIL_FROM": "Shop <login@shops.example>",
}
BROKEN = [
    pytest.param("mail_url", "smtp://", id="a mail server without a host"),
    pytest.param("mail_url", "smtp://h:99999", id="a mail server at a port there is not"),
    pytest.param("mail_url", "smtp://h?tls=x", id="a mail server with another kind of TLS"),
    pytest.param("mail_url", "smtp://[", id="a mail server with half an address"),
    pytest.param("mail_url", "smtp://user:hun/ter2@h", id="a mail server's password with a slash"),
    pytest.param("mail_from", "not an address", id="a sender who is none"),
    pytest.param("mail_from", "Shop <login@>", id="a sender without a domain"),
    pytest.param("mail_from", "Shop", id="a sender with a name alone"),
    pytest.param("database_url", "foo", id="a database that is no URL"),
    pytest.param("database_url", "sqlite:authsrv.db", id="a file without slashes"),
    pytest.param("database_url", "sqlite://var/authsrv.db", id="a file with two slashes"),
    pytest.param("database_url", "mysql://h/db", id="another kind of database"),
    pytest.param("database_url", "postgresql://user:secret@h:hun/db", id="a database at a port that is no number"),
    pytest.param("database_url", "postgresql://h:99999/db", id="a database at a port there is not"),
    pytest.param("rate_limit_url", "redis://h:99999", id="counters at a port there is not"),
    pytest.param("rate_limit_url", "redis://user:hun/ter2@h", id="a password of the counters with a slash"),
]


@pytest.fixture(autouse=True)
def sound_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AUTHSRV_")]:
        monkeypatch.delenv(name)
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path, SOUND)


@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_what_check_finds_no_server_starts_with(operator: Operator, name: str, value: str) -> None:
    setting = {f"AUTHSRV_{name.upper()}": value}
    checked = operator.run("check", **setting)
    assert checked.exit_code == 1
    assert name in checked.stderr or f"UNSAFE  {name}: " in checked.stdout
    served = operator.run("serve", **setting)
    assert served.exit_code == 1
    assert served.stderr.startswith(f"{name}: ")
    for said in (checked.stdout, checked.stderr, served.stdout, served.stderr):
        assert "hun" not in said


@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_an_app_is_not_built_with_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"AUTHSRV_{name.upper()}", value)
    with pytest.raises(SettingsError, match=f"^{name}: ") as refused:
        create_app(load_settings())
    assert "hun" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(
            "mail_url", "smtp://user:hun%2Fter2@mail.shops.example:587?tls=starttls", id="a password, escaped"
        ),
        pytest.param("mail_url", "smtps://[::1]:465", id="a mail server by its address"),
        pytest.param("mail_from", "login@shops.example", id="a sender without a name"),
        pytest.param("mail_from", '"Shop, Ltd" <login@shops.example>', id="a sender with a name in quotes"),
        pytest.param("database_url", "postgresql://user:hun/ter2@[::1]:5432/db", id="a database by its address"),
        pytest.param("rate_limit_url", "redis://user:hun%2Fter2@h:6379/0", id="counters with a password"),
    ],
)
def test_an_app_is_built_with_what_can_be_read(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"AUTHSRV_{name.upper()}", value)
    assert create_app(load_settings()).routes
