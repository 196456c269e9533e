"""What is void, in memory: the live part of the feed, and how old this process's knowledge of it is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heappop, heappush
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
        # By the subject's name: nearly all tokens hang on names that stand in no line, and of those in one, few in two.
        self._void_before: dict[str, tuple[Notice, ...]] = {}
        # The line that ends soonest is the first.
        self._endings: list[tuple[datetime, UUID, Notice]] = []
        self._read_at = float("-inf")

    def __len__(self) -> int:
        return sum(map(len, self._void_before.values()))

    def apply(self, notices: Sequence[Notice]) -> None:
        """Takes lines in; the same line twice, or an older one after a newer, changes nothing."""
        for notice in notices:
            if notice.kind not in _VOIDING:
                continue
            lines = self._void_before.get(notice.subject, ())
            known = _of_kind(lines, notice.kind)
            if known is None or known.id < notice.id:
                self._void_before[notice.subject] = (*_without(lines, notice.kind), notice)
                heappush(self._endings, (notice.expires_at, notice.id, notice))

    def is_void(self, jti: UUID, subjects: Iterable[tuple[NoticeKind, str | None]]) -> bool:
        """Whether a token made at `jti`'s time was taken back, itself or through one of the `subjects` it hangs on."""
        void_before = self._void_before
        if not void_before:
            return False
        if _of_kind(void_before.get(str(jti), ()), NoticeKind.TOKEN):
            return True
        for kind, subject in subjects:
            if subject is None or (lines := void_before.get(subject)) is None:
                continue
            if (notice := _of_kind(lines, kind)) and jti < notice.id:
                return True
            if kind is NoticeKind.CLIENT and _is_suspended(lines):
                return True
        return False

    def has_ended(self, grant_id: str | None) -> bool:
        """Whether the grant was taken back: that is final, so its tokens are void whenever a clock says they were made.

        One that was being issued meanwhile, perhaps by a machine whose clock is ahead, may carry a later time.
        """
        return grant_id is not None and _of_kind(self._void_before.get(grant_id, ()), NoticeKind.GRANT) is not None

    def forget_expired(self, now: datetime) -> None:
        """Drops lines that no living token can meet any more."""
        while self._endings and self._endings[0][0] <= now:
            notice = heappop(self._endings)[2]
            lines = self._void_before.get(notice.subject, ())
            # A newer line of this kind has an ending of its own.
            if _of_kind(lines, notice.kind) is not notice:
                continue
            if left := _without(lines, notice.kind):
                self._void_before[notice.subject] = left
            else:
                del self._void_before[notice.subject]

    def mark_read(self, began_at: float) -> None:
        """A reading of the whole feed that began at this monotonic time is in."""
        self._read_at = max(self._read_at, began_at)

    def age_seconds(self) -> float:
        """How old the knowledge is, counted from the start of the last good reading."""
        return self._clock.monotonic() - self._read_at


def _of_kind(lines: Sequence[Notice], kind: NoticeKind) -> Notice | None:
    for line in lines:
        if line.kind is kind:
            return line
    return None


def _without(lines: Sequence[Notice], kind: NoticeKind) -> tuple[Notice, ...]:
    return tuple(line for line in lines if line.kind is not kind)


def _is_suspended(lines: Sequence[Notice]) -> bool:
    # A process that had not heard yet may have issued a token after the suspension, so its time does not count.
    suspended, resumed = _of_kind(lines, NoticeKind.CLIENT_SUSPENDED), _of_kind(lines, NoticeKind.CLIENT_RESUMED)
    return suspended is not None and (resumed is None or resumed.id < suspended.id)
