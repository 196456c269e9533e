"""When mail does not leave, the person is told and nothing hangs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.conftest import NO_LIMIT, Post
from tests.support.databases import migrate_with_keys
from tests.support.ports import free_port
from tests.support.smtp import SmtpSink
from tests.support.world import World


@pytest.fixture
def own_post(tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Post]:
    """A server and a mail server to break."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, mail_url=smtp_sink.url, limits=NO_LIMIT)
    yield Post(world, smtp_sink)
    world.close()


@pytest.mark.parametrize("reply", ["451 try again later", "550 no such mailbox"])
def test_a_mail_server_that_refuses_is_told_and_the_address_kept(own_post: Post, reply: str) -> None:
    person = own_post.person()
    own_post.sink.refuse(reply)
    away = person.send(person.visit("/sign-in?next=/account%3Fx"), email=person.email)
    assert away.status_code == 503
    assert "Retry-After" in away.headers
    assert person.email in away.text

    own_post.sink.accept()
    again = person.send(away)
    arrived = person.send(again, code=own_post.code(person.email))
    assert str(arrived.url).endswith("/account?x")


def test_a_mail_server_that_hangs_is_given_up(own_post: Post) -> None:
    person = own_post.person()
    own_post.sink.hang()
    began = time.monotonic()
    away = person.send(person.visit("/sign-in"), email=person.email)
    assert away.status_code == 503
    assert time.monotonic() - began < 8


def test_a_mail_server_that_is_not_there_is_told_at_once(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, mail_url=f"smtp://127.0.0.1:{free_port()}", limits=NO_LIMIT)
    person = Post(world, smtp_sink).person()
    away = person.send(person.visit("/sign-in"), email=person.email)
    assert away.status_code == 503
    world.close()


def test_without_a_mail_server_the_page_says_so(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, mail_url="")
    person = Post(world, smtp_sink).person()
    page = person.visit("/sign-in")
    assert page.status_code == 200
    assert "authsrv check" in page.text
    assert person.send(page, email=person.email).status_code == 503
    world.close()
