"""What is void, in memory: the live part of the feed, and how old this process's knowledge of it is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from authsrv.kit.clock import Clock
from authsrv.storage.unit import Notice, NoticeKind

_VOIDING = {
    NoticeKind.TOKEN,
    NoticeKind.GRANT,
    NoticeKind.CLIENT,
    NoticeKind.USER,
    NoticeKind.CLIENT_SUSPENDED,
    NoticeKind.CLIENT_RESUMED,
}


class RevocationList:
    """Answers from memory; kept up by the feed reader and by this process's own commits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._void_before: dict[tuple[NoticeKind, str], Notice] = {}
        self._read_at = float("-inf")

    def __len__(self) -> int:
        return len(self._void_before)

    def apply(self, notices: Sequence[Notice]) -> None:
        """Takes lines in; the same line twice, or an older one after a newer, changes nothing."""
        for notice in notices:
            if notice.kind not in _VOIDING:
                continue
            known = self._void_before.get((notice.kind, notice.subject))
            if known is None or known.id < notice.id:
                self._void_before[notice.kind, notice.subject] = notice

    def is_void(self, jti: UUID, subjects: Iterable[tuple[NoticeKind, str | None]]) -> bool:
        """Whether a token made at `jti`'s time was taken back, itself or through one of the `subjects` it hangs on."""
        if not self._void_before:
            return False
        if (NoticeKind.TOKEN, str(jti)) in self._void_before:
            return True
        for kind, subject in subjects:
            if subject is None:
                continue
            if (notice := self._void_before.get((kind, subject))) and jti < notice.id:
                return True
            if kind is NoticeKind.CLIENT and self._is_suspended(subject):
                return True
        return False

    def has_ended(self, grant_id: str | None) -> bool:
        """Whether the grant was taken back: that is final, so its tokens are void whenever a clock says they were made.

        One that was being issued meanwhile, perhaps by a machine whose clock is ahead, may carry a later time.
        """
        return (NoticeKind.GRANT, grant_id) in self._void_before

    def _is_suspended(self, client_id: str) -> bool:
        # A process that had not heard yet may have issued a token after the suspension, so its time does not count.
        suspended = self._void_before.get((NoticeKind.CLIENT_SUSPENDED, client_id))
        resumed = self._void_before.get((NoticeKind.CLIENT_RESUMED, client_id))
        return suspended is not None and (resumed is None or resumed.id < suspended.id)

    def forget_expired(self, now: datetime) -> None:
        """Drops lines that no living token can meet any more."""
        gone = [key for key, notice in self._void_before.items() if notice.expires_at <= now]
        for key in gone:
            del self._void_before[key]

    def mark_read(self, began_at: float) -> None:
        """A reading of the whole feed that began at this monotonic time is in."""
        self._read_at = max(self._read_at, began_at)

    def age_seconds(self) -> float:
        """How old the knowledge is, counted from the start of the last good reading."""
        return self._clock.monotonic() - self._read_at
