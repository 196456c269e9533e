"""`/dev/outbox`: there in a demo, nowhere else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.conftest import Post
from tests.people import Person
from tests.support.databases import migrate_with_keys
from tests.support.world import World


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[World]:
    url = f"sqlite:///{tmp_path / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(url, demo=True)
    yield world
    world.close()


def test_the_outbox_of_a_demo_has_the_newest_mail_first(demo: World) -> None:
    assert "No mail yet" in demo.http.get("/dev/outbox").text
    for name in ("first", "second"):
        person = Person(demo, f"{name}@example.com")
        person.send(person.visit("/sign-in"), email=person.email)
    kept = demo.http.get("/dev/outbox.json").json()
    assert [mail["to"] for mail in kept] == ["second@example.com", "first@example.com"]
    assert set(kept[0]) == {"to", "subject", "text", "sent_at"}
    page = demo.http.get("/dev/outbox").text
    assert page.index(kept[0]["subject"]) < page.index(kept[1]["subject"])


def test_there_is_no_outbox_outside_a_demo(sqlite_post: Post) -> None:
    assert sqlite_post.world.http.get("/dev/outbox").status_code == 404
    assert sqlite_post.world.http.get("/dev/outbox.json").status_code == 404
