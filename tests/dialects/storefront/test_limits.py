"""Too often is too often: 429 with the seconds to wait, in the storefront's own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from authsrv.storage.email_codes import find_email_code
from authsrv.storage.unit import Unit
from tests.dialects.storefront.shopper import Shop, new_email
from tests.pages.conftest import wrong
from tests.support.databases import migrate_with_keys
from tests.support.world import World


@contextmanager
def limited(tmp_path: Path, **limits: str) -> Iterator[Shop]:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, mail_url="outbox:", limits=limits)
    yield Shop.opened(world)
    world.close()


def assert_refused(answer: httpx.Response, within: int) -> None:
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= within
    assert list(answer.json()) == ["error"]


def test_sign_ins_are_limited_by_network_address_and_by_mail(tmp_path: Path) -> None:
    with limited(tmp_path, sign_in_per_address="4/10minutes", sign_in_per_email="2/10minutes") as shop:
        email = new_email()
        for _ in range(2):
            shop.ask_code(email)
        # The same for an address that nobody has: what is counted are mails.
        assert_refused(shop.auth(email=email.upper()), 600)
        assert len(shop.mails(email)) == 2
        shop.ask_code(new_email())
        assert_refused(shop.auth(email=new_email()), 600)
        # A code that is there already can still be used.
        assert shop.auth(email=email, code=shop.code(email)).status_code == 200


def spend_tries(unit: Unit, shop: Shop, email: str) -> None:
    """A code whose five tries are spent."""
    begun = shop.world.runtime.sign_ins.begin(unit, email, purpose="code_only", store_id=shop.store.id)
    row = find_email_code(unit, begun.sign_in_id)
    assert row is not None
    row.attempts = 5
    unit.session.add(row)


def test_a_hundred_wrong_codes_are_a_days_worth(tmp_path: Path) -> None:
    with limited(tmp_path, sign_in_per_address="off", sign_in_per_email="off") as shop:
        email = new_email()
        for _ in range(19):
            shop.world.transact(lambda unit: spend_tries(unit, shop, email))
        code = shop.ask_code(email)
        for _ in range(4):
            assert shop.auth(email=email, code=wrong(code)).status_code == 422
        # Ninety-nine so far.
        code = shop.ask_code(email)
        assert shop.auth(email=email, code=wrong(code)).status_code == 422
        assert_refused(shop.auth(email=email), 86_400)


def test_tokens_and_calls_are_limited_by_who_asks(tmp_path: Path) -> None:
    with limited(tmp_path, token_per_client="4/minute", api_per_credential="5/minute") as shop:
        one, other = shop.sign_in(), shop.sign_in()
        for _ in range(5):
            assert one.ask("GET", "/account").status_code == 200
        assert_refused(one.ask("GET", "/account"), 60)
        # One customer uses up nobody else's, nor does a guest.
        assert other.ask("GET", "/account").status_code == 200
        cart = shop.guest()
        for _ in range(5):
            assert cart.ask("GET", "/cart").status_code == 200
        assert_refused(cart.ask("GET", "/cart"), 60)
        # The first to sign in made the shop's client, and so counted for none.
        assert [one.refresh().status_code for _ in range(3)] == [200, 200, 200]
        assert_refused(one.refresh(), 60)
