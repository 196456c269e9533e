"""Settings that no server can run with: `check` finds them, `serve` and `create_app` refuse them, all by their name."""

import os
from pathlib import Path

import pytest

from authsrv import create_app, load_settings
from authsrv.settings import SettingsError, unknown_environment_names
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
    pytest.param("database_url", "sqlite:///", id="no file"),
    pytest.param("database_url", "sqlite:///:memory:", id="a file that goes with its connection"),
    pytest.param("issuer", "https://a.example:99999", id="an issuer at a port there is not"),
    pytest.param("issuer", "https://a.example/a b", id="an issuer with a space in it"),
    pytest.param("secret_keys", "hun", id="a secret that is too short"),
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


def test_a_short_secret_is_found_where_there_is_a_database_too(operator: Operator) -> None:
    assert operator.run("migrate").exit_code == 0
    checked = operator.run("check", AUTHSRV_SECRET_KEYS="short")
    assert checked.exit_code == 1
    assert "UNSAFE  secret_keys: one is shorter than 32 bytes" in checked.stdout


def test_a_database_password_is_masked_wherever_it_stands(operator: Operator) -> None:
    url = "postgresql://u:hunter1@127.0.0.1:1/db?password=hunter2&sslpassword=hunter3&application_name=shop"
    checked = operator.run("check", AUTHSRV_DATABASE_URL=url)
    assert "application_name=shop" in checked.stdout
    assert "hunter" not in checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ["DATABASE", "KEYS", "SESSIONS", "CUSTOMER_API"])
def test_a_section_is_not_set_as_a_whole_but_warned_of(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An orchestrator may call something else of its own so."""
    monkeypatch.setenv(f"AUTHSRV_{name}", "tcp://10.0.0.1:5432")
    monkeypatch.setenv("AUTHSRV_DATABASE__POOL_SIZE", "3")
    assert load_settings().database.pool_size == 3
    assert unknown_environment_names(os.environ) == [f"AUTHSRV_{name}"]
