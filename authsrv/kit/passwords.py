"""Argon2id for what a person chose (RFC 9106), in a capped pool of threads and never on the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from authsrv.kit.errors import Unavailable

T = TypeVar("T")

LONGEST_PASSWORD = 1024


class Passwords:
    """Hashes and checks passwords; more than `threads` + `waiting` at once are turned away, not queued without end."""

    def __init__(self, *, threads: int = 2, waiting: int = 32) -> None:
        # RFC 9106, 4: the second recommended option, for where 2 GiB a hash cannot be spared.
        self._hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, type=Type.ID)
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2")
        self._places = threads + waiting

    @cached_property
    def _nobody(self) -> str:
        """What is checked where nothing is stored; made at first need, in the pool, for it costs what a hash costs."""
        return self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """The PHC string to store. Raises Unavailable when too many are waiting."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one; no stored one costs the same time and is never right."""
        return await self._run(lambda: self._matches(password, stored))

    def needs_rehash(self, stored: str) -> bool:
        """Whether the stored hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password: str, stored: str | None) -> bool:
        try:
            self._hasher.verify(stored or self._nobody, password[:LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._places <= 0:
            raise Unavailable("too many passwords are being checked", retry_after_seconds=2)
        self._places -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._places += 1
