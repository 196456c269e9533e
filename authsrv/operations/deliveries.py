"""Sends what waits to be told to other servers, from every process, until it arrives or has been tried long enough.

A delivery is claimed for a while and then posted outside of any transaction: who dies in between loses the claim, and
another process sends again. A receiver may hear something twice, never not at all.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TypeAlias
from urllib.parse import urlsplit

import structlog

from authsrv.kit.clock import Clock
from authsrv.kit.entropy import Entropy
from authsrv.kit.errors import Unavailable
from authsrv.kit.outbound import Message, Outbound, OutboundError
from authsrv.shop.webhooks import Attempt
from authsrv.storage.database import Database
from authsrv.storage.deliveries import (
    Delivery,
    claim_deliveries,
    finish_delivery,
    has_due_deliveries,
    postpone_delivery,
    release_deliveries,
)
from authsrv.storage.unit import Notice, NoticeKind, Unit

log = structlog.get_logger(__name__)

# Words and signs a delivery at the time of sending; None when nobody is left to tell.
Sender: TypeAlias = Callable[[Unit, Delivery], Message | None]
# What is left to do once a try is written down and committed: a mail, say.
Afterwards: TypeAlias = Callable[[], Awaitable[None]]
# Writes a try down, in the transaction that says whether it is tried again.
Witness: TypeAlias = Callable[[Unit, Delivery, Attempt], Afterwards | None]

WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400))
_JITTER = 0.1
_AT_ONCE = 32
_AT_ONCE_PER_HOST = 8
# So many more of a host are kept for its next free places: to claim and release them each time would cost more.
_QUEUED_PER_HOST = 16
# Longer than one attempt can last: waiting for a place, five seconds for the answer, and writing it down.
CLAIM = timedelta(seconds=30)
# One that has waited for its place until less than this is left is another process's by the time it arrives.
_LEAST_OF_CLAIM = timedelta(seconds=8)
_SETTLE_SECONDS = 6.0
_NOBODY = "not sent: nobody listens there any more"


class DeliveryWorker:
    """Runs beside the requests of every process."""

    def __init__(
        self,
        database: Database,
        outbound: Outbound,
        senders: Mapping[str, Sender],
        entropy: Entropy,
        clock: Clock,
        *,
        witnesses: Mapping[str, Witness] | None = None,
        poll_seconds: float = 3.0,
        claim: timedelta = CLAIM,
    ) -> None:
        """`senders` says by a delivery's kind who words it; other kinds are left to processes that know them.

        `witnesses` says by kind who wants to know of each try.
        """
        self._database = database
        self._outbound = outbound
        self._senders = senders
        self._witnesses = witnesses or {}
        self._entropy = entropy
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._claim = claim
        self._nudged = asyncio.Event()
        self._sending: dict[asyncio.Task[None], str] = {}
        self._queues: dict[str, deque[Delivery]] = {}
        # Hosts that have all their places taken, in the queue too, with the URLs that are passed over meanwhile.
        self._parked: dict[str, set[str]] = {}
        self._is_more = False

    def hear(self, notices: Sequence[Notice]) -> None:
        """This process has committed; what it may have added is sent at once."""
        if any(notice.kind is NoticeKind.DELIVERY_ADDED for notice in notices):
            self._nudged.set()

    async def run(self) -> None:
        """For ever: waits, and sends what is due."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds):
                        await self._nudged.wait()
                self._nudged.clear()
                try:
                    await self.send_due()
                except Unavailable as away:
                    log.warning("deliveries put off", reason=away.reason)
        finally:
            await self._settle()

    async def send_due(self) -> int:
        """Claims what is due and has a place, and begins to send it; says how many. Raises Unavailable."""
        places = _AT_ONCE - len(self._sending)
        kinds = tuple(self._senders)
        passed_over = [url for urls in self._parked.values() for url in urls]
        self._is_more = places <= 0
        if places <= 0 or not await self._database.transact(
            lambda unit: has_due_deliveries(unit, kinds, passed_over), read_only=True
        ):
            return 0
        claimed = await self._database.transact(
            lambda unit: claim_deliveries(unit, unit.now() + self._claim, places, kinds, passed_over)
        )
        self._is_more = len(claimed) == places
        held_back = [delivery for delivery in claimed if not self._begin(delivery)]
        if held_back:
            await self._database.transact(lambda unit: release_deliveries(unit, [row.id for row in held_back]))
            # Without the busy host in the way there may be others.
            self._nudged.set()
        return len(claimed) - len(held_back)

    async def finish(self) -> None:
        """Returns when nothing is being sent."""
        while self._sending:
            await asyncio.wait(self._sending)

    def _begin(self, delivery: Delivery) -> bool:
        """Sends it, or puts it into its host's queue; False if there is no place for it at all."""
        host = urlsplit(delivery.url).hostname or ""
        if Counter(self._sending.values())[host] < _AT_ONCE_PER_HOST:
            self._start(delivery, host)
            return True
        queue = self._queues.setdefault(host, deque())
        if len(queue) < _QUEUED_PER_HOST:
            queue.append(delivery)
            return True
        self._parked.setdefault(host, set()).add(delivery.url)
        return False

    def _start(self, delivery: Delivery, host: str) -> None:
        task = asyncio.create_task(self._send(delivery))
        self._sending[task] = host
        task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[None]") -> None:
        host = self._sending.pop(task)
        if (following := self._take_queued(host)) is not None:
            self._start(following, host)
        elif self._parked.pop(host, None) or self._is_more:
            self._nudged.set()

    def _take_queued(self, host: str) -> Delivery | None:
        """The next of the host's queue whose claim lasts until it has arrived."""
        queue = self._queues.get(host, deque())
        while queue:
            delivery = queue.popleft()
            if delivery.due_at - self._clock.now() >= min(_LEAST_OF_CLAIM, self._claim):
                return delivery
        self._queues.pop(host, None)
        return None

    async def _send(self, delivery: Delivery) -> None:
        try:
            attempt = await self._attempt(delivery)
            if attempt is None:
                await self._database.transact(lambda unit: self._drop(unit, delivery))
                return
            afterwards = await self._database.transact(lambda unit: self._record(unit, delivery, attempt))
            if afterwards is not None:
                await afterwards()
        except Unavailable as away:
            # The claim runs out, and it is sent again.
            log.warning("delivery not recorded", id=str(delivery.id), reason=away.reason)

    async def _attempt(self, delivery: Delivery) -> Attempt | None:
        """Sends it, and says what came of it; None where nobody is left to tell."""
        began = self._clock.monotonic()

        def went(status: int | None, error: str | None, answer: bytes = b"") -> Attempt:
            return Attempt(status, error, answer, int((self._clock.monotonic() - began) * 1000))

        try:
            word = self._senders[delivery.kind]
            message = await self._database.transact(lambda unit: word(unit, delivery), read_only=True)
            if message is None:
                return None
            reply = await self._outbound.post(delivery.url, message.body, message.headers)
        except OutboundError as fault:
            return went(None, str(fault))
        except Unavailable:
            raise
        except Exception:  # one that cannot be worded must not stop the others
            log.exception("delivery cannot be worded", id=str(delivery.id), kind=delivery.kind)
            return went(None, "cannot be worded")
        return went(reply.status, None if 200 <= reply.status < 300 else f"answered {reply.status}", reply.start)

    def _drop(self, unit: Unit, delivery: Delivery) -> None:
        """It was not sent and will not be, unless somebody asks for it again."""
        postpone_delivery(unit, delivery, None, delivery.last_status, _NOBODY)
        log.info("not sent", id=str(delivery.id), kind=delivery.kind, client_id=delivery.client_id, reason=_NOBODY)

    def _record(self, unit: Unit, delivery: Delivery, attempt: Attempt) -> Afterwards | None:
        status, error = attempt.status, attempt.error
        witness = self._witnesses.get(delivery.kind)
        afterwards = witness(unit, delivery, attempt) if witness else None
        about = {"id": str(delivery.id), "kind": delivery.kind, "client_id": delivery.client_id, "status": status}
        if error is None:
            finish_delivery(unit, delivery.id, status)
            log.info("delivered", attempts=delivery.attempts, **about)
            return afterwards
        wait = wait_after(delivery.attempts, self._entropy.fraction())
        postpone_delivery(unit, delivery, unit.now() + wait if wait else None, status, error)
        log.warning("not delivered", attempts=delivery.attempts, reason=error, gives_up=wait is None, **about)
        return afterwards

    async def _settle(self) -> None:
        """Lets what is on its way arrive, so that a restart repeats nothing; what only waited is everybody's again."""
        queued = [delivery.id for queue in self._queues.values() for delivery in queue]
        self._queues.clear()
        if queued:
            with suppress(Unavailable):
                await self._database.transact(lambda unit: release_deliveries(unit, queued))
        if self._sending:
            await asyncio.wait(self._sending, timeout=_SETTLE_SECONDS)
        for task in self._sending:
            task.cancel()
        await self.finish()


def wait_after(attempts: int, fraction: float) -> timedelta | None:
    """How long to wait after this many attempts, spread by `fraction` (0 to 1); None when it was the last."""
    if attempts > len(WAITS):
        return None
    return WAITS[attempts - 1] * (1 - _JITTER + 2 * _JITTER * fraction)
