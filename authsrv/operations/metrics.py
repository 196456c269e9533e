"""What the server counts about itself, in Prometheus' words; one process or several."""

import os
from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from authsrv.operations.supervision import METRICS_FOLDER
from authsrv.web.gate import Answered

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters of one app."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "authsrv_requests", "Answered requests.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "authsrv_request_seconds", "Time to answer.", ["route"], buckets=_BUCKETS, registry=self._registry
        )
        self._feed_age = Gauge(
            "authsrv_feed_age_seconds",
            "Age of the last good reading of the revocation feed.",
            registry=self._registry,
            multiprocess_mode="livemax",
        )
        self._statements = Gauge(
            "authsrv_sql_statements",
            "SQL statements sent to the database.",
            registry=self._registry,
            multiprocess_mode="sum",
        )

        self._redis_away = Gauge(
            "authsrv_limits_redis_away",
            "1 while limits are counted by each process for itself because Redis is away.",
            registry=self._registry,
            multiprocess_mode="livemax",
        )

    def observe(self, answered: Answered) -> None:
        """Counts one answer."""
        kind = (answered.method, answered.route, answered.status)
        known = self._known.get(kind)
        if known is None:
            # Looking a counter up by its labels costs more than counting; there are as many as the registry keeps.
            method, route, status = kind
            known = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
            self._known[kind] = known
        requests, durations = known
        requests.inc()
        durations.observe(answered.seconds)

    def watch(
        self, *, feed_age: Callable[[], float], statements: Callable[[], int], redis_away: Callable[[], bool]
    ) -> Callable[[], None]:
        """A function that takes a reading of what is not counted request by request."""

        def read() -> None:
            self._feed_age.set(feed_age())
            self._statements.set(statements())
            self._redis_away.set(redis_away())

        return read

    def render(self) -> bytes:
        """All of it as text (version 0.0.4 of the exposition format)."""
        if METRICS_FOLDER in os.environ:
            everyone = CollectorRegistry()
            MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
            return generate_latest(everyone)
        return generate_latest(self._registry)
