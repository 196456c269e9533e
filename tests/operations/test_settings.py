"""Settings: defaults, then one file, then the environment; a mistake is named, a secret never shown."""

import os
from pathlib import Path

import pytest

from authsrv import create_app, load_settings
from authsrv.operations.inspection import inspect_settings
from authsrv.settings import Settings, SettingsError, unknown_environment_names

SECRET = "0123456789abcdefghijklmnopqrstuvwxyz-secret"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("AUTHSRV_"):
            monkeypatch.delenv(name)


class Files:
    """A settings file and an environment, as an operator writes them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file = folder / "authsrv.toml"
        self._monkeypatch = monkeypatch

    def write(self, text: str) -> None:
        self._file.write_text(text, encoding="utf-8")
        self._monkeypatch.setenv("AUTHSRV_CONFIG", str(self._file))

    def export(self, name: str, value: str) -> None:
        self._monkeypatch.setenv(name, value)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    return Files(tmp_path, monkeypatch)


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.issuer == ""
    assert settings.is_sqlite
    assert settings.tokens.access_seconds == 3600
    assert settings.demo is False


def test_the_file_lies_above_the_defaults_and_the_environment_above_the_file(files: Files) -> None:
    files.write('issuer = "https://file.example"\n[tokens]\naccess_seconds = 600\ncode_seconds = 30\n')
    files.export("AUTHSRV_TOKENS__ACCESS_SECONDS", "900")
    settings = load_settings()
    assert settings.issuer == "https://file.example"
    assert settings.tokens.access_seconds == 900
    # What neither names in a section stays as it was.
    assert settings.tokens.code_seconds == 30
    assert settings.tokens.grant_seconds == 31_536_000


@pytest.mark.parametrize("name", ["AUTHSRV_ISSUER", "AUTHSRV_SECRET_KEYS", "AUTHSRV_TOKENS__ACCESS_SECONDS"])
def test_an_empty_variable_is_the_same_as_none(files: Files, name: str) -> None:
    files.write('issuer = "https://file.example"\nsecret_keys = "x"\n[tokens]\naccess_seconds = 600\n')
    files.export(name, "")
    settings = load_settings()
    assert settings.issuer == "https://file.example"
    assert settings.secret_texts == ("x",)
    assert settings.tokens.access_seconds == 600


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param('isuer = "https://x.example"', "isuer; did you mean issuer?", id="a typo"),
        pytest.param(
            "[tokens]\nacces_seconds = 1",
            "did you mean tokens.access_seconds?",
            id="in a section",
        ),
        pytest.param("[token]\naccess_seconds = 1", "token; did you mean tokens?", id="a section"),
        pytest.param("zzzzzzzz = 1", "there is no setting zzzzzzzz", id="nothing near"),
        pytest.param("issuer = ", "is not TOML", id="no TOML"),
        pytest.param("[tokens]\naccess_seconds = 1", "tokens.access_seconds", id="too small"),
        pytest.param('[tokens]\naccess_seconds = "soon"', "tokens.access_seconds", id="no number"),
        pytest.param('log = "xml"', "log", id="none of the choices"),
        pytest.param('issuer = "auth.example"', "issuer", id="an issuer without a scheme"),
        pytest.param('issuer = "http://auth.example"', "must be https", id="a plain issuer"),
        pytest.param('issuer = "https://auth.example/?a=b"', "issuer", id="an issuer with a query"),
        pytest.param('issuer = "https://auth.example/#x"', "issuer", id="an issuer with a fragment"),
        pytest.param('store_hosts = "shops.example"', "{prefix}", id="store hosts without a prefix"),
        pytest.param('trusted_proxies = "everyone"', "trusted_proxies", id="a proxy that is no address"),
    ],
)
def test_a_mistake_in_the_file_is_named(files: Files, text: str, told: str) -> None:
    files.write(text)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTHSRV_CONFIG", str(tmp_path / "nowhere.toml"))
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_settings()


def test_an_unknown_name_in_the_environment_is_only_worth_a_warning(files: Files) -> None:
    files.export("AUTHSRV_SERVICE_HOST", "10.0.0.1")
    files.export("AUTHSRV_PORT_8000_TCP", "tcp://10.0.0.1")
    load_settings()
    assert {"AUTHSRV_SERVICE_HOST", "AUTHSRV_PORT_8000_TCP"} == set(unknown_environment_names(os.environ))


def test_a_fault_never_shows_the_value(files: Files) -> None:
    files.write(f'log = "{SECRET}"')
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert SECRET not in str(refused.value)


def test_secrets_are_masked_however_settings_are_shown() -> None:
    settings = load_settings(
        issuer="https://x.example", secret_keys=SECRET, database_url="postgresql://me:hunter2@127.0.0.1/x"
    )
    for shown in (str(settings), repr(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert SECRET not in shown
        assert "hunter2" not in shown


def test_the_issuer_loses_its_trailing_slash_and_keeps_its_path() -> None:
    assert load_settings(issuer="https://x.example/").issuer == "https://x.example"
    settings = load_settings(issuer="https://x.example/auth/")
    assert settings.issuer == "https://x.example/auth"
    assert settings.issuer_path == "/auth"


@pytest.mark.parametrize(
    "issuer", ["http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost", "http://a.localhost"]
)
def test_a_plain_issuer_may_stand_on_loopback(issuer: str) -> None:
    assert load_settings(issuer=issuer).issuer == issuer


def test_no_server_is_built_without_an_issuer() -> None:
    with pytest.raises(SettingsError, match="AUTHSRV_ISSUER"):
        create_app(load_settings())


def test_no_server_on_postgresql_is_built_without_a_secret() -> None:
    settings = load_settings(issuer="https://x.example", database_url="postgresql://x@127.0.0.1/x")
    with pytest.raises(SettingsError, match="AUTHSRV_SECRET_KEYS"):
        create_app(settings)


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.issuer = "https://other.example"  # type: ignore[misc]  # what is tried
    with pytest.raises(ValueError, match="frozen"):
        settings.tokens.access_seconds = 1  # type: ignore[misc]  # what is tried


SAFE = {
    "issuer": "https://auth.shops.example",
    "database_url": "postgresql://x@127.0.0.1/x",
    "secret_keys": SECRET,
    "mail_url": "smtps://mail.shops.example",
}


def safe(**changes: object) -> Settings:
    known = {name: value for name, value in {**SAFE, **changes}.items() if name in Settings.model_fields}
    return load_settings(**known)


def test_a_production_set_up_with_care_has_nothing_unsafe() -> None:
    assert [finding for finding in inspect_settings(safe(), {}) if finding.unsafe] == []


@pytest.mark.parametrize(("spoken", "is_on"), [("on", True), ("off", False), ("", True)])
def test_documents_are_switched_on_and_off_in_words(monkeypatch: pytest.MonkeyPatch, spoken: str, is_on: bool) -> None:  # noqa: FBT001
    monkeypatch.setenv("AUTHSRV_CIMD", spoken)
    assert load_settings().cimd is is_on


@pytest.mark.parametrize("spoken", ["yes", "OPEN"])
def test_who_may_register_is_one_of_three_words(monkeypatch: pytest.MonkeyPatch, spoken: str) -> None:
    monkeypatch.setenv("AUTHSRV_REGISTRATION", spoken)
    with pytest.raises(SettingsError, match="registration"):
        load_settings()


def test_open_registration_is_worth_a_note() -> None:
    found = [finding.name for finding in inspect_settings(safe(registration="open"), {}) if not finding.unsafe]
    assert "registration" in found


@pytest.mark.parametrize(("proxies", "is_told"), [("", True), ("10.1.2.3", False)])
def test_an_https_issuer_without_proxies_is_worth_a_note(proxies: str, is_told: bool) -> None:  # noqa: FBT001
    found = [finding for finding in inspect_settings(safe(trusted_proxies=proxies), {}) if not finding.unsafe]
    assert ("trusted_proxies" in [finding.name for finding in found]) is is_told


def test_a_database_that_others_can_read_is_found(tmp_path: Path) -> None:
    file = tmp_path / "authsrv.db"
    file.touch()
    settings = safe(database_url=f"sqlite:///{file}")
    for mode, is_told in ((0o644, True), (0o640, True), (0o600, False)):
        file.chmod(mode)
        assert (str(file) in [one.name for one in inspect_settings(settings, {}) if one.unsafe]) is is_told


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        pytest.param({"demo": True}, "demo", id="the demo shop"),
        pytest.param({"issuer": ""}, "issuer", id="no issuer"),
        pytest.param({"issuer": "http://127.0.0.1:8000"}, "issuer", id="a plain issuer"),
        pytest.param({"issuer": "https://localhost"}, "issuer", id="an issuer nobody else can reach"),
        pytest.param({"secret_keys": ""}, "secret_keys", id="no secret"),
        pytest.param({"secret_keys": "short"}, "secret_keys", id="a short secret"),
        pytest.param({"secret_keys": f"{SECRET},{'ab' * 20}"}, "secret_keys", id="a second secret that is not random"),
        pytest.param({"trusted_proxies": "0.0.0.0/0"}, "trusted_proxies", id="everybody a proxy"),
        pytest.param({"keys": {"announce_seconds": 10}}, "keys.announce_seconds", id="keys that sign too soon"),
        pytest.param({"feed": {"max_age_seconds": 60}}, "feed.max_age_seconds", id="revocations that take a minute"),
    ],
)
def test_what_would_be_unsafe_is_found_and_has_a_remedy(changes: dict[str, object], name: str) -> None:
    found = {finding.name: finding for finding in inspect_settings(safe(**changes), {}) if finding.unsafe}
    assert name in found
    assert found[name].problem
    assert found[name].remedy
