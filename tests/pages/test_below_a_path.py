"""Pages of a server whose issuer has a path: every link and redirect stays below it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.conftest import NO_LIMIT, Post
from tests.support.databases import migrate_with_keys
from tests.support.smtp import SmtpSink
from tests.support.world import World


@pytest.fixture
def below(tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Post]:
    """A server at `/auth`."""
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, issuer="http://127.0.0.1:8000/auth", mail_url=smtp_sink.url, limits=NO_LIMIT)
    yield Post(world, smtp_sink)
    world.close()


@pytest.mark.parametrize(
    ("path", "arrives"),
    [
        ("/auth/sign-in", "/auth/account"),
        ("/auth/sign-in?next=/auth/account%3Fx", "/auth/account?x"),
        ("/auth/sign-in?next=/admin", "/auth/account"),
        ("/auth/sign-in?next=/authority", "/auth/account"),
    ],
)
def test_a_sign_in_stays_below_the_path(below: Post, path: str, arrives: str) -> None:
    person = below.person()
    arrived = below.sign_in(person, path)
    assert str(arrived.url) == below.world.url + arrives
    assert 'href="/auth/static/style.' in arrived.text
    assert 'action="/auth/sign-out"' in arrived.text
    assert [cookie.path for cookie in person.browser.cookies.jar] == ["/"]
