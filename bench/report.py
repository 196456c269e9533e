"""What came out, for people and for machines, and which targets it misses."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import Footprint, Result
from bench.scenarios import SCENARIOS, Scenario

_MOST_MEBIBYTES = 120
_MOST_START_SECONDS = 3.0
# The background's share is an estimate, and a crowded machine answers few requests to divide it by.
_STATEMENTS_TOLERANCE = 0.1
# SQLite's BEGIN is counted too; the drivers of PostgreSQL hide theirs.
_BEGIN = {"sqlite": 1}
_COLUMNS = ("request", "engine", "req/s", "bare", "ratio", "CPU ms", "bare", "ratio", "p50 ms", "p99 ms", "SQL")


@dataclass(frozen=True, slots=True)
class Report:
    """All results of a run."""

    results: Sequence[Result]
    footprints: Sequence[Footprint]

    def misses(self) -> list[str]:
        """Each target that was missed, in words."""
        return [*self._missed_by_requests(), *self._missed_by_workers()]

    def as_json(self) -> dict[str, Any]:
        return {
            "results": [asdict(result) for result in self.results],
            "workers": [asdict(footprint) for footprint in self.footprints],
            "misses": self.misses(),
        }

    def show(self) -> None:
        table = Table(box=None, header_style="bold")
        for at, column in enumerate(_COLUMNS):
            table.add_column(column, justify="left" if at < 2 else "right", no_wrap=True)
        for result in self.results:
            table.add_row(*_cells(result))
        console = Console(width=None if Console().is_terminal else 120)
        console.print(table)
        for each in self.footprints:
            console.print(
                f"worker on {each.engine}: ready after {each.start_seconds:.2f} s, "
                f"{each.resident_mebibytes:.0f} MiB resident, {each.unique_mebibytes:.0f} MiB its own",
                highlight=False,
            )

    def _missed_by_requests(self) -> Iterator[str]:
        targets = {scenario.name: scenario for scenario in SCENARIOS}
        for result in self.results:
            target, name = targets[result.scenario], f"{result.scenario} on {result.engine}"
            if result.failed:
                yield f"{name}: {result.failed} requests failed"
            if target.least_ratio is not None and result.ratio < target.least_ratio:
                yield f"{name}: {result.ratio:.0%} of the bare server's throughput, not {target.least_ratio:.0%}"
            most = target.statements + (_BEGIN.get(result.engine, 0) if target.statements else 0)
            if result.statements > most + _STATEMENTS_TOLERANCE:
                yield f"{name}: {result.statements:.2f} SQL statements a request, not {most}"
            yield from self._missed_beside(target, result)

    def _missed_beside(self, target: Scenario, result: Result) -> Iterator[str]:
        if target.most_times is None:
            return
        other, most = target.most_times
        for beside in self.results:
            if (beside.scenario, beside.engine) == (other, result.engine):
                times = beside.requests_per_second / max(result.requests_per_second, 1)
                if times > most:
                    yield f"{result.scenario} on {result.engine}: {times:.1f} times as dear as {other}, not {most}"

    def _missed_by_workers(self) -> Iterator[str]:
        for each in self.footprints:
            if each.resident_mebibytes > _MOST_MEBIBYTES:
                yield f"worker on {each.engine}: {each.resident_mebibytes:.0f} MiB, not {_MOST_MEBIBYTES}"
            if each.start_seconds > _MOST_START_SECONDS:
                yield f"worker on {each.engine}: ready after {each.start_seconds:.1f} s, not {_MOST_START_SECONDS:.0f}"


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.scenario,
        result.engine,
        f"{result.requests_per_second:.0f}",
        f"{result.bare_per_second:.0f}",
        f"{result.ratio:.0%}",
        f"{result.cpu_milliseconds:.3f}",
        f"{result.bare_cpu_milliseconds:.3f}",
        f"{result.cpu_ratio:.0%}",
        f"{result.p50_milliseconds:.1f}",
        f"{result.p99_milliseconds:.1f}",
        f"{result.statements:.2f}",
    )
