"""A grant is one row however often it is refreshed, and PostgreSQL rewrites it in place."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from authsrv.storage.unit import Unit
from tests.rotation.engine import VERIFIER, Process, Seam, begin, connect

SECRET = "the-only-secret-of-this-server-is-long-enough"
REFRESHES = 2_000


@pytest.mark.parametrize("engine", ["sqlite", "private_postgresql"])
def test_two_thousand_refreshes_add_no_row_and_are_written_in_place(
    request: pytest.FixtureRequest, engine: str
) -> None:
    seam: Seam = request.getfixturevalue(f"{engine}_seam")
    begin(seam, [SECRET])
    process = Process(seam, [SECRET])
    app = connect(process, "web", lives=timedelta(days=1), token_format="opaque")
    code = process.issuing.code_of(app.grant_id)
    _, body = process.token(app, grant_type="authorization_code", code=code, code_verifier=VERIFIER)
    for _ in range(REFRESHES):
        status, body = process.token(app, grant_type="refresh_token", refresh_token=body["refresh_token"])
        assert status == 200
    assert process.row(app.grant_id)["generation"] == REFRESHES
    count = text('SELECT count(*) FROM "grant"')
    assert process.transact(lambda unit: unit.session.connection().execute(count).scalar_one()) == 1
    if engine == "private_postgresql":
        # Heap-only: no index was touched, so none of them grows and nothing waits for a vacuum.
        updates, in_place = _updates(process)
        assert updates > REFRESHES
        assert in_place > 0.97 * updates


def _updates(process: Process, seconds: float = 20) -> tuple[int, int]:
    """The updates of the grant table so far, and how many were heap-only; sessions tell once a second."""
    query = text("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'grant'")
    deadline = time.monotonic() + seconds

    def ask(unit: Unit) -> tuple[int, int]:
        found = unit.session.connection().execute(query).one()
        return found[0], found[1]

    while (found := process.transact(ask))[0] <= REFRESHES and time.monotonic() < deadline:
        time.sleep(0.5)
    return found
