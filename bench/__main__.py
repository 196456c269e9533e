"""`python -m bench`: what a request costs, beside a bare Starlette on the same core in the same run."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import Bench, Footprint, Result, on_core
from bench.report import Report
from bench.scenarios import SCENARIOS
from tests.support.postgres import PostgresCluster

_ENGINES = ("sqlite", "postgresql")


def main() -> int:
    """0 when every target is met, 1 when one is missed."""
    chosen = _parse()
    results: list[Result] = []
    footprints: list[Footprint] = []
    # wrk, the database and this process stay away from the core that is measured.
    cores = os.sched_getaffinity(0)
    with on_core(min(cores)):
        for engine in chosen.engine or _ENGINES:
            with tempfile.TemporaryDirectory(prefix="authsrv-bench-") as folder, _database(engine, folder) as url:
                bench = Bench(engine, url, Path(folder), core=max(cores), seconds=chosen.seconds)
                _measure(engine, bench, chosen, results, footprints)
    report = Report(results, footprints)
    if chosen.json:
        json.dump(report.as_json(), sys.stdout, indent=2)
        print()
    else:
        report.show()
    for miss in report.misses():
        print(f"missed: {miss}", file=sys.stderr)
    return 1 if report.misses() else 0


def _measure(
    engine: str, bench: Bench, chosen: argparse.Namespace, results: list[Result], footprints: list[Footprint]
) -> None:
    try:
        for scenario in SCENARIOS:
            if not chosen.only or scenario.name in chosen.only:
                print(f"{scenario.name} on {engine} ...", file=sys.stderr)
                results.append(bench.run(scenario))
        footprints.append(bench.footprint())
    finally:
        bench.close()


@contextmanager
def _database(engine: str, folder: str) -> Iterator[str]:
    """The URL of an empty database; PostgreSQL in a cluster of its own, without fsync."""
    if engine == "sqlite":
        yield f"sqlite:///{folder}/authsrv.db"
        return
    with PostgresCluster.create() as cluster:
        cluster.create_database("bench")
        yield cluster.url("bench")


def _parse() -> argparse.Namespace:
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--engine", action="append", choices=_ENGINES, help="this engine only; may repeat")
    parser.add_argument("--only", action="append", choices=names, help="this request only; may repeat")
    parser.add_argument("--seconds", type=int, default=2, help="length of a round (default: 2)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
