"""Signing up at the portal, on a server that has a shop on its own host: a developer is not its customer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from authsrv.storage.stores import Store, add_store
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user, list_memberships
from tests.pages.conftest import NO_LIMIT, Post
from tests.people import Person
from tests.support.databases import migrate_with_keys
from tests.support.smtp import SmtpSink
from tests.support.world import World


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """A server whose own host is the corner shop's."""
    folder: Path = tmp_path_factory.mktemp("corner")
    url = f"sqlite:///{folder / 'authsrv.db'}"
    migrate_with_keys(url)
    with SmtpSink() as sink:
        world = World(url, mail_url=sink.url, default_store="corner", limits=NO_LIMIT)
        world.transact(_open_shop)
        yield Post(world, sink)
        world.close()


def stores_of(world: World, person: Person) -> int:
    def look(unit: Unit) -> int:
        user = find_user(unit, person.email)
        assert user is not None
        return len(list_memberships(unit, user.id))

    return world.transact(look)


def test_a_developer_is_nobodys_customer_and_a_visitor_of_the_shop_is(corner: Post) -> None:
    developer, visitor = corner.person(), corner.person()
    asked = developer.visit("/developers")
    assert "Sign in to the developer portal" in asked.text
    assert "corner" not in asked.text.lower()
    assert "No app yet" in corner.sign_in(developer, "/developers").text
    assert stores_of(corner.world, developer) == 0
    corner.sign_in(visitor, "/account")
    assert stores_of(corner.world, visitor) == 1


def test_a_sign_in_that_began_at_the_portal_does_not_end_at_the_shop(corner: Post) -> None:
    person = corner.person()
    corner.ask(person, "/developers")
    code = corner.code(person.email)
    elsewhere = person.visit("/sign-in/code?next=/account")
    refused = person.send(elsewhere, code=code)
    assert refused.status_code == 400
    assert corner.world.transact(lambda unit: find_user(unit, person.email)) is None


def _open_shop(unit: Unit) -> Store:
    return add_store(unit, prefix="corner", name="The corner shop", currency="EUR")
