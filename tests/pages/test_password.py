"""The second way in: a password, for those who have one."""

import asyncio
import re
from urllib.parse import quote
from uuid import uuid4

from argon2 import PasswordHasher

from authsrv.kit.passwords import Passwords
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_user, find_user
from tests.pages.conftest import Post
from tests.people import Person

PASSWORD = "correct horse battery"
# Checked in no time, and made anew at the first success.
WEAK = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


def person_with_password(post: Post, stored: str | None = None) -> Person:
    person = Person(post.world, f"{uuid4().hex[:12]}@example.com")
    password_hash = stored or asyncio.run(Passwords(threads=1).hash(PASSWORD))

    def work(unit: Unit) -> None:
        add_user(unit, email=person.email).password_hash = password_hash

    post.world.transact(work)
    return person


def test_a_person_signs_in_with_a_password(post: Post) -> None:
    person = person_with_password(post)
    arrived = person.send(person.visit("/sign-in/password?next=/account%3Fx"), email=person.email, password=PASSWORD)
    assert str(arrived.url).endswith("/account?x")
    assert "with a password" in arrived.text


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(post: Post) -> None:
    known, unknown = person_with_password(post), post.person()
    texts = []
    for person in (known, unknown):
        refused = person.send(person.visit("/sign-in/password"), email=person.email, password="wrong")
        assert refused.status_code == 400
        said = re.sub(r"(?<=csrf_token\" value=\")[^\"]+", "", refused.text)
        texts.append(said.replace(person.email, "").replace(quote(person.email), ""))
    assert texts[0] == texts[1]


def test_after_five_tries_even_the_right_password_has_to_wait(post: Post) -> None:
    person = person_with_password(post, WEAK)
    page = person.visit("/sign-in/password")
    for _ in range(5):
        assert person.send(page, email=person.email, password="wrong").status_code == 400
    refused = person.send(page, email=person.email, password=PASSWORD)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    # The code by mail still lets them in.
    assert post.sign_in(person).url.path == "/account"


def test_tries_begin_anew_after_a_success(post: Post) -> None:
    person = person_with_password(post, WEAK)
    for wrong_ones in (4, 2):
        page = person.visit("/sign-in/password")
        for _ in range(wrong_ones):
            person.send(page, email=person.email, password="wrong")
        assert person.send(page, email=person.email, password=PASSWORD).url.path == "/account"


def test_an_old_hash_is_made_anew_at_sign_in(post: Post) -> None:
    person = person_with_password(post, WEAK)
    person.send(person.visit("/sign-in/password"), email=person.email, password=PASSWORD)
    user = post.world.transact(lambda unit: find_user(unit, person.email))
    assert user is not None
    assert user.password_hash not in {None, WEAK}
    again = Person(post.world, person.email)
    arrived = again.send(again.visit("/sign-in/password"), email=person.email, password=PASSWORD)
    assert arrived.url.path == "/account"
