"""The only door through which chance enters, so that a test can own it."""

import secrets
from typing import Protocol


class Entropy(Protocol):
    """A source of unpredictable bytes."""

    def token_bytes(self, count: int) -> bytes:
        """`count` bytes nobody can guess."""
        ...

    def fraction(self) -> float:
        """A number in [0, 1) to spread waits with."""
        ...


class SystemEntropy:
    """The operating system's generator."""

    def __init__(self) -> None:
        self._dice = secrets.SystemRandom()

    def token_bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        return self._dice.random()
