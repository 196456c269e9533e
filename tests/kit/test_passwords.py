"""Passwords: slow to guess, never slow for everybody else."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from authsrv.kit.errors import Unavailable
from authsrv.kit.passwords import Passwords

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    pool = Passwords()
    yield pool
    pool.close()


async def test_a_password_is_kept_as_argon2id_and_found_again(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert await passwords.verify("correct horse", stored)
    assert not await passwords.verify("Correct horse", stored)
    assert not await passwords.verify("", stored)
    assert not passwords.needs_rehash(stored)
    # Salted: the same password of another person looks different.
    assert await passwords.hash("correct horse") != stored
    assert passwords.needs_rehash("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaA")


async def test_nobodys_password_is_never_right_and_takes_as_long(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert not await passwords.verify("nobody has this password", None)
    # The better of two, since other programs run here too: the same work either way.
    somebody, nobody = [min([await _seconds(passwords, of) for _ in range(2)]) for of in (stored, None)]
    assert nobody > somebody / 2


async def test_a_stored_text_that_is_no_hash_matches_nothing(passwords: Passwords) -> None:
    assert not await passwords.verify("x", "not a hash")
    assert not await passwords.verify("x", "$argon2id$v=19$m=65536")


async def test_the_event_loop_turns_while_passwords_are_checked(passwords: Passwords) -> None:
    checking = asyncio.create_task(passwords.hash("correct horse"))
    turns = 0
    while not checking.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 3


async def test_too_many_at_once_are_turned_away_and_told_when_to_return() -> None:
    passwords = Passwords(threads=1, waiting=1)
    answers = await asyncio.gather(*(passwords.verify("x", None) for _ in range(4)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert [answer for answer in answers if answer is False] == [False] * 2
    assert len(refused) == 2
    assert refused[0].status == 503
    assert "Retry-After" in refused[0].headers
    # There is room again afterwards.
    assert not await passwords.verify("x", None)
    passwords.close()


async def _seconds(passwords: Passwords, stored: str | None) -> float:
    began = time.perf_counter()
    await passwords.verify("wrong", stored)
    return time.perf_counter() - began
