"""Too often is too often: for one network address, for one e-mail address, and with Redis away."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from authsrv.web.limits import address_key
from tests.pages.conftest import Post
from tests.support.databases import migrate_with_keys
from tests.support.redis import RedisServer
from tests.support.smtp import SmtpSink
from tests.support.world import World


@contextmanager
def limited(tmp_path: Path, sink: SmtpSink, **settings: object) -> Iterator[Post]:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, clock=None, **{"mail_url": sink.url, **settings})
    yield Post(world, sink)
    world.close()


def ask(post: Post, **headers: str) -> httpx.Response:
    person = post.person()
    page = person.visit("/sign-in")
    person.browser.headers.update(headers)
    return person.send(page, email=person.email)


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 600
    assert "<h1>Too many tries</h1>" in answer.text


def test_a_network_address_gets_so_many_sign_ins(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    with limited(
        tmp_path, smtp_sink, limits={"sign_in_per_address": "3/10minutes"}, trusted_proxies="127.0.0.1"
    ) as post:
        for _ in range(3):
            assert ask(post).status_code == 200
        assert_refused(ask(post))
        other = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        assert ask(post, **other).status_code == 200


def from_address(number: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Proto": "https"}


def test_who_asks_for_much_does_not_close_a_store_to_who_asks_for_little(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    limits = {"sign_in_per_address": "off", "sign_in_per_store": "2/10minutes"}
    with limited(tmp_path, smtp_sink, limits=limits, trusted_proxies="127.0.0.1") as post:
        greedy = [ask(post, **from_address(1)).status_code for _ in range(6)]
        assert greedy == [200] * 5 + [429]
        assert [ask(post, **from_address(2)).status_code for _ in range(4)] == [200, 200, 200, 429]
        # There is an end to it all the same: ten times the limit.
        assert [ask(post, **from_address(number)).status_code for number in range(3, 20)] == [200] * 14 + [429] * 3


def test_passwords_and_resent_codes_do_not_use_up_a_stores_sign_ins(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    limits = {"sign_in_per_address": "off", "sign_in_per_store": "2/10minutes"}
    with limited(tmp_path, smtp_sink, limits=limits) as post:
        person = post.person()
        for _ in range(8):
            person.send(person.visit("/sign-in/password"), email=person.email, password="guess")
        asked = post.ask(person)
        for _ in range(5):
            person.send(asked, form=-1)
        assert [ask(post).status_code for _ in range(4)] == [200, 200, 200, 200]


def test_an_email_address_gets_five_mails(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    with limited(tmp_path, smtp_sink, limits={"sign_in_per_address": "off"}) as post:
        person = post.person()
        for _ in range(5):
            assert person.send(person.visit("/sign-in"), email=person.email).status_code == 200
        assert_refused(person.send(person.visit("/sign-in"), email=person.email.upper()))
        assert len(post.mails(person.email)) == 5


def test_redis_counts_for_all_and_its_absence_stops_nobody(
    tmp_path: Path, smtp_sink: SmtpSink, redis_server: RedisServer
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    own = {"limits": {"sign_in_per_address": "2/10minutes"}, "rate_limit_url": redis_server.url()}
    with limited(tmp_path / "one", smtp_sink, **own) as one, limited(tmp_path / "two", smtp_sink, **own) as two:
        assert ask(one).status_code == 200
        assert ask(two).status_code == 200
        assert_refused(ask(one))
        redis_server.stop()
        assert ask(one).status_code == 200
        assert ask(one).status_code == 200
        assert_refused(ask(one))


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("a socket", "a socket"),
    ],
)
def test_one_subscriber_is_one_caller(address: str, key: str) -> None:
    assert address_key(address) == key
