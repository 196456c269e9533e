"""What runs beside requests goes on, whatever befalls it."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from authsrv.operations import background
from authsrv.operations.deliveries import DeliveryWorker
from tests.support.world import World


def test_a_task_that_breaks_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    async def run(_: DeliveryWorker) -> None:
        begun.append("begun")
        if len(begun) < 3:
            # What PostgreSQL says to one of two transactions that wait for each other is no outage, and yet it passes.
            raise DBAPIError("UPDATE", {}, Exception("deadlock detected"))
        await asyncio.Event().wait()

    monkeypatch.setattr(DeliveryWorker, "run", run)
    monkeypatch.setattr(background, "START_AGAIN_SECONDS", 0.01)
    world = World(f"sqlite:///{tmp_path / 'authsrv.db'}")
    try:
        for _ in range(200):
            if len(begun) == 3:
                break
            world.transact(lambda unit: unit.now())
            asyncio.run(asyncio.sleep(0.01))
        assert len(begun) == 3
    finally:
        world.close()
