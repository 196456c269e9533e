"""What each client asks for, counted in memory: a door notes whose request it is, the gate counts how it ended.

That costs a request one look into a dictionary and one increment; `operations/usage.py` writes the sums down.
"""

from collections.abc import Mapping

from starlette.types import Scope

_USE = "authsrv.use"
_REFUSAL = "authsrv.refusal"
_LONGEST_REASON = 40

TOKEN = "token"
REFRESH = "refresh"
API = "api"

# Client, kind, reason of the refusal or nothing → how often.
Counts = dict[tuple[str, str, str], int]


def note_use(scope: Scope, client_id: str, kind: str) -> None:
    """Whose request this is, and what for."""
    scope[_USE] = client_id, kind


def note_refusal(scope: Scope, reason: str) -> None:
    """The machine's word for why it was refused."""
    scope[_REFUSAL] = reason


class UsageCounter:
    """The sums since they were last taken."""

    def __init__(self) -> None:
        self._counts: Counts = {}

    def count(self, scope: Scope, status: int) -> None:
        """Counts an answered request, if a door noted whose it was."""
        use = scope.get(_USE)
        if use is None:
            return
        reason = "" if status < 400 else (scope.get(_REFUSAL) or str(status))[:_LONGEST_REASON]
        key = (*use, reason)
        self._counts[key] = self._counts.get(key, 0) + 1

    def take(self) -> Counts:
        """The sums; counting begins anew."""
        taken, self._counts = self._counts, {}
        return taken

    def put_back(self, counts: Mapping[tuple[str, str, str], int]) -> None:
        """They could not be written down: they wait for the next time."""
        for key, count in counts.items():
            self._counts[key] = self._counts.get(key, 0) + count
