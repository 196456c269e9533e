"""Everybody at once, over two worker processes: one chain lives, and of a code only one answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.rotation.conftest import ConnectedApp
from tests.support.traffic import Answer

REFRESHES = 200
REDEMPTIONS = 50


def at_once(count: int, act: Callable[[], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(min(count, 50)) as pool:
        return [future.result() for future in [pool.submit(act) for _ in range(count)]]


@pytest.mark.parametrize("kind", ["web", "spa"])
def test_of_two_hundred_refreshes_of_one_token_everybody_holds_the_one_living_chain(
    connect: Callable[..., ConnectedApp], kind: str
) -> None:
    app = connect(kind, is_redeemed=True)
    answers = at_once(REFRESHES, lambda: app.refresh(app.refresh_token))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert len({answer.json()["access_token"] for answer in answers}) == REFRESHES
    # One stepped, the others were given the same again; and it can be used.
    assert app.events() == ["grant.refresh_repeated"] * (REFRESHES - 1)
    assert app.refresh(answers[-1].json()["refresh_token"]).status == 200


@pytest.mark.parametrize("kind", ["web", "spa"])
def test_of_fifty_redemptions_of_one_code_one_succeeds_and_then_the_grant_is_dead(
    connect: Callable[..., ConnectedApp], kind: str
) -> None:
    app = connect(kind, is_redeemed=False)
    answers = at_once(REDEMPTIONS, app.redeem)
    won = [answer.json() for answer in answers if answer.status == 200]
    assert len(won) == 1
    assert {answer.json()["error"] for answer in answers if answer.status != 200} == {"invalid_grant"}
    assert app.refresh(won[0]["refresh_token"]).status == 400
    assert app.events() == ["grant.code_replayed"]
