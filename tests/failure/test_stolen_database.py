"""A copy of the database contains no usable credential: everything the server issued is searched for in it."""

import base64
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from sqlalchemy.engine import make_url

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.secret_keys import SecretKeys
from authsrv.kit.signing import export_private, import_private
from authsrv.kit.vault import Vault
from authsrv.oauth.client_secrets import rotate_secret
from authsrv.operations.demo import demo_secret
from authsrv.storage.clients import find_client
from authsrv.storage.signing_keys import list_signing_keys
from authsrv.storage.unit import Unit
from tests.actors import Service
from tests.people import Person
from tests.support.databases import migrate_to_head
from tests.support.programs import find_postgres_program
from tests.support.world import SECRET_KEY, World

PRIVATE_PARTS = ("d", "p", "q", "dp", "dq", "qi")
BASE64URL = re.compile(rb"[A-Za-z0-9_-]+")
SHORTEST = 16
KINDS: tuple[dict[str, str], ...] = ({}, {"token_format": "opaque"}, {"signing_alg": "RS256"}, {"signing_alg": "EdDSA"})


@pytest.fixture
def demo_world(empty_url: str) -> Iterator[World]:
    migrate_to_head(empty_url)
    world = World(empty_url, demo=True)
    yield world
    world.close()


def test_a_stolen_database_holds_no_credential(demo_world: World, empty_url: str) -> None:
    secrets = issue_everything(demo_world)
    copy = dump(empty_url)
    # The copy is one: what need not be secret is in it.
    assert b"An app" in copy
    found = {name: spelling for name, secret in secrets.items() for spelling in spellings(secret) if spelling in copy}
    assert found == {}


def issue_everything(world: World) -> dict[str, bytes]:
    """Everything somebody could use, by name: the server's own, the clients', the tokens, the people's sessions."""
    secrets = {"secret key": SECRET_KEY.encode()}
    keys = SecretKeys([SECRET_KEY])
    secrets["demo secret"] = demo_secret(keys, "demo-service").encode()
    for number, values in enumerate(KINDS):
        service = Service.hired(world, **values)
        secrets[f"client secret {number}"] = service.credentials.client_secret.encode()
        secrets[f"access token {number}"] = service.get_token().encode()
        revoked = service.get_token()
        assert service.revoke(revoked).status_code == 200
        secrets[f"revoked token {number}"] = revoked.encode()
        assert service.place().status_code == 201
        secrets[f"rotated secret {number}"] = world.transact(rotating(service.client_id)).encode()
    person = Person.signed_in(world)
    for name, value in person.browser.cookies.items():
        secrets[f"cookie {name}"] = value.encode()
    secrets |= world.transact(private_parts(keys))
    return secrets


def rotating(client_id: str) -> Callable[[Unit], str]:
    def work(unit: Unit) -> str:
        client = find_client(unit, client_id)
        assert client
        return rotate_secret(unit, client, SystemEntropy(), revoke_old=False, actor="test")

    return work


def private_parts(keys: SecretKeys) -> Callable[[Unit], dict[str, bytes]]:
    vault = Vault(keys, "signing key", SystemEntropy())

    def work(unit: Unit) -> dict[str, bytes]:
        parts: dict[str, bytes] = {}
        for row in list_signing_keys(unit):
            jwk = orjson.loads(export_private(import_private(vault.open(row.sealed_jwk, owner=row.kid.encode()))))
            for name in PRIVATE_PARTS:
                if name in jwk:
                    parts[f"{row.algorithm} {name}"] = jwk[name].encode()
        return parts

    return work


def spellings(secret: bytes) -> set[bytes]:
    """A secret as a database might hold it: text or bytes, plain, in hex or in base64, with or without its prefix."""
    # A JWT's header is no secret; its claims and its signature together are, and each is searched for.
    texts = {secret, *secret.split(b".")[-2:], secret.partition(b"_")[2]}
    values = texts | {
        base64.urlsafe_b64decode(text[: len(text) // 4 * 4]) for text in texts if BASE64URL.fullmatch(text)
    }
    spelled: set[bytes] = set()
    # What is shorter is found in anything.
    for value in (value for value in values if len(value) >= SHORTEST):
        spelled |= {value, value.hex().encode(), value.hex().upper().encode()}
        spelled |= {encode(value).rstrip(b"=") for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    return spelled


def dump(url: str) -> bytes:
    """All that a thief of the database would hold."""
    parsed = make_url(url)
    assert parsed.database
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database)
        files = [path for path in file.parent.iterdir() if path.name.startswith(file.name)]
        assert any(path.name.endswith("-wal") for path in files)
        return b"".join(path.read_bytes() for path in files)
    return subprocess.run(
        [find_postgres_program("pg_dump"), "--inserts", f"--dbname={url}"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
        check=True,
    ).stdout
