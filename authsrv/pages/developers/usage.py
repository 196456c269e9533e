"""Usage: what an app asked for on each of the last days, as small charts and numbers; and how it stands with limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date
from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.api_keys import status_of
from authsrv.pages.developers.charts import Chart, draw
from authsrv.pages.developers.frame import show_app
from authsrv.pages.developers.guard import Developing, app_page
from authsrv.storage.api_keys import list_app_keys
from authsrv.storage.clients import Client
from authsrv.storage.connections import list_connected_prefixes
from authsrv.storage.stores import find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.storage.usage import DayCount, list_usage
from authsrv.web.limits import LimitUse
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of
from authsrv.web.texts import Language
from authsrv.web.usage import API, REFRESH, TOKEN

DAYS = 30
# An app in thousands of stores has as many limits: the page shows so many.
_MOST_STORES = 20
SERIES = ("tokens", "refreshes", "calls", "errors")


@dataclass(frozen=True, slots=True)
class ShownLimit:
    """A limit as it stands now; `place` is a store or a key, None for the token endpoint."""

    kind: str
    place: str | None
    use: LimitUse

    @property
    def share(self) -> float:
        return min(self.use.used / max(self.use.most, 1), 1.0)


@dataclass(frozen=True, slots=True)
class _Found:
    counts: list[DayCount]
    keys: list[tuple[str, str, str]]
    stores: list[str]
    has_more: bool


@app_page
async def show(request: Request, developing: Developing) -> Response:
    runtime, client = runtime_of(request), developing.client
    today = runtime.clock.now().date()
    days = [today - timedelta(days=past) for past in reversed(range(DAYS))]
    found = await runtime.database.transact(lambda unit: _look(unit, client, days[0]), read_only=True)
    numbers = _by_day(found.counts, days)
    language = language_of(request)
    return show_app(
        request,
        developing,
        "developers/usage.html",
        tab="usage",
        has_any=bool(found.counts),
        charts=[_chart(language, name, days, numbers[name]) for name in SERIES],
        days=[(_spelled(language, day), [numbers[name][at] for name in SERIES]) for at, day in enumerate(days)][::-1],
        series=SERIES,
        reasons=_by_reason(found.counts),
        limits=await _limits(request, client, found),
        has_more_limits=found.has_more,
        is_counted_apart=runtime.limits.is_counted_apart,
        is_public=client.token_endpoint_auth_method == "none",
    )


def _look(unit: Unit, client: Client, since: date) -> _Found:
    keys = list_app_keys(unit, client.id)
    counts = list_usage(unit, [client.client_id, *(key.key_id for key, _ in keys)], since)
    own = find_store_by_id(unit, client.store_id) if client.store_id else None
    connected = list_connected_prefixes(unit, client.id)
    stores = list(dict.fromkeys([*([own.prefix] if own else []), *connected]))
    living = [(key.key_id, key.name, store) for key, store in keys if status_of(key, unit.now()) == "active"]
    has_more = len(stores) > _MOST_STORES or len(living) > _MOST_STORES
    return _Found(counts, living[:_MOST_STORES], stores[:_MOST_STORES], has_more)


async def _limits(request: Request, client: Client, found: _Found) -> list[ShownLimit]:
    """Those that this app can meet now. That of a public client is counted for each address, and told by none."""
    limits, shown = runtime_of(request).limits, []
    if client.token_endpoint_auth_method != "none":
        tokens = await limits.look("token_per_client", f"client {client.client_id}", client.token_limit)
        shown += [ShownLimit("tokens", None, tokens)] if tokens else []
    for store in found.stores:
        use = await limits.look("api_per_credential", f"{client.client_id} {store}", client.api_limit)
        shown += [ShownLimit("calls", store, use)] if use else []
    for key_id, name, store in found.keys:
        use = await limits.look("api_per_credential", f"{key_id} {store}")
        shown += [ShownLimit("key", name, use)] if use else []
    return shown


def _by_day(counts: Sequence[DayCount], days: Sequence[date]) -> dict[str, list[int]]:
    """For each series the sum of each day."""
    sums = {name: dict.fromkeys(days, 0) for name in SERIES}
    for one in counts:
        if one.day not in sums["calls"]:
            continue  # a day that began after this page did
        if one.kind == API:
            sums["calls"][one.day] += one.count
        elif not one.reason:
            sums["refreshes" if one.kind == REFRESH else "tokens"][one.day] += one.count
        if one.reason:
            sums["errors"][one.day] += one.count
    return {name: list(by_day.values()) for name, by_day in sums.items()}


def _by_reason(counts: Sequence[DayCount]) -> list[tuple[str, str, int]]:
    """Where, why and how often something was refused, the most frequent first."""
    sums: dict[tuple[str, str], int] = {}
    for one in counts:
        if one.reason:
            where = "api" if one.kind == API else TOKEN
            sums[where, one.reason] = sums.get((where, one.reason), 0) + one.count
    return sorted(((*key, count) for key, count in sums.items()), key=lambda row: (-row[2], row[:2]))


def _chart(language: Language, name: str, days: Sequence[date], numbers: Sequence[int]) -> Chart:
    names = [_spelled(language, day) for day in days]
    return draw(name, names, numbers)


def _spelled(language: Language, day: date) -> str:
    return format_date(day, "d MMM", locale=language.tag)
