"""Sectors: which apps may know a person by the same pairwise name (OIDC Core 8.1)."""

import pytest

from authsrv.oauth.clients import sector_of
from authsrv.oauth.registration import NewClient, create_client
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from authsrv.storage.unit import Unit


@pytest.mark.parametrize(
    ("redirect_uri", "sector"),
    [
        ("https://app.example/cb", "app.example"),
        ("https://app.example:8443/cb", "app.example"),
        ("https://APP.example/cb", "app.example"),
        ("com.example.app:/cb", "com.example.app:"),
        ("com.example.app://cb/there", "com.example.app:"),
        ("http://127.0.0.1:9000/cb", ""),
        ("http://[::1]/cb", ""),
        ("http://localhost/cb", ""),
    ],
)
def test_a_sector_is_a_host_without_its_port_or_a_private_scheme(redirect_uri: str, sector: str) -> None:
    assert sector_of(redirect_uri) == sector


def test_two_ports_of_one_host_are_one_sector(unit: Unit) -> None:
    new = NewClient(
        name="An app",
        developer="dev@example.com",
        type="web",
        subject_type="pairwise",
        redirect_uris=["https://app.example/cb", "https://app.example:8443/cb"],
    )
    catalogue = ScopeCatalogue.read(config_file("scopes.toml"))
    assert create_client(unit, new, client_id="app_x", actor="test", scopes=catalogue).subject_type == "pairwise"
