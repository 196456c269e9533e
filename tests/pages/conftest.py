"""A server whose mail arrives in a real mailbox, and the people who read it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.conftest import ENGINES
from tests.people import Person
from tests.support.databases import migrate_with_keys
from tests.support.plain_http import NO_TLS
from tests.support.smtp import SmtpSink
from tests.support.world import ALONE, World

# Every test signs in from the same address.
NO_LIMIT = {"sign_in_per_address": "off", "sign_in_per_email": "off"}


@dataclass
class Post:
    """A server and the mailbox of everyone it writes to."""

    world: World
    sink: SmtpSink

    def person(self) -> Person:
        """Somebody new, with a browser of their own."""
        return Person(self.world, f"{uuid4().hex[:12]}@example.com")

    def mails(self, email: str, count: int = 1) -> list[EmailMessage]:
        """What this address got, once there are `count` mails."""
        got = [mail for mail in self.sink.messages if mail["to"] == email]
        assert len(got) >= count, f"{len(got)} of {count} mails"
        return got

    def code(self, email: str, count: int = 1) -> str:
        """The code of the newest mail."""
        return code_in(self.mails(email, count)[-1])

    def ask(self, person: Person, path: str = "/sign-in") -> httpx.Response:
        """The person enters the address and comes to the page that wants the code."""
        asked = person.send(person.visit(path), email=person.email)
        assert asked.status_code == 200, asked.text
        return asked

    def sign_in(self, person: Person, path: str = "/sign-in") -> httpx.Response:
        """All the way; where the person arrives."""
        asked = self.ask(person, path)
        return person.send(asked, code=self.code(person.email))


def code_in(mail: EmailMessage) -> str:
    found = re.search(r"\b\d{6}\b", mail["subject"])
    assert found is not None, mail["subject"]
    return found[0]


def wrong(code: str) -> str:
    """Six digits that are not these."""
    return f"{(int(code) + 1) % 1_000_000:06}"


@pytest.fixture(scope="session")
def sqlite_post(new_database: Callable[[str], str]) -> Iterator[Post]:
    yield from _open(new_database("sqlite"))


@pytest.fixture(scope="session")
def postgresql_post(new_database: Callable[[str], str]) -> Iterator[Post]:
    yield from _open(new_database("postgresql"))


@pytest.fixture(params=ENGINES)
def post(request: pytest.FixtureRequest) -> Post:
    """A server with a mailbox, on each engine in turn."""
    running: Post = request.getfixturevalue(f"{request.param}_post")
    return running


@pytest.fixture
def https_post(tmp_path: Path) -> Iterator[httpx.Client]:
    """A server whose issuer is https, behind a proxy that vouches for it."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, issuer="https://auth.shops.example", trusted_proxies="127.0.0.1")
    with httpx.Client(verify=NO_TLS, base_url=world.url) as client:
        yield client
    world.close()


def _open(url: str) -> Iterator[Post]:
    with SmtpSink() as sink:
        world = World(url, mail_url=sink.url, mail_from="Shops <login@shops.example>", limits=NO_LIMIT, feed=ALONE)
        yield Post(world, sink)
        world.close()
