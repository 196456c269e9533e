"""A grant that was taken back: nothing of it lives, whatever a clock says, and it dies whole or not at all."""

from datetime import timedelta

import pytest

from authsrv.oauth.requests import ProtocolRequest
from authsrv.oauth.tokens import Behalf
from authsrv.storage.audit import list_audit_events
from authsrv.storage.unit import Unit
from tests.rotation.engine import ISSUER, VERIFIER, Connected, PlainSqlite, Process, begin, connect

SECRET = "the-only-secret-of-this-server-is-long-enough"


class PowerCut(Exception):
    """The database goes away before it has committed."""


@pytest.fixture
def process(sqlite_seam: PlainSqlite) -> Process:
    begin(sqlite_seam, [SECRET])
    return Process(sqlite_seam, [SECRET])


@pytest.fixture
def app(process: Process) -> Connected:
    app = connect(process, "web", lives=timedelta(days=1))
    code = process.issuing.code_of(app.grant_id)
    assert process.token(app, grant_type="authorization_code", code=code, code_verifier=VERIFIER)[0] == 200
    return app


def test_a_token_that_was_being_issued_while_its_grant_was_revoked_is_void(process: Process, app: Connected) -> None:
    """Its time is later than the revocation's: it lost the race, or the machine that made it has a clock ahead."""
    client = process.transact(lambda unit: process.clients.find(unit, app.client_id))
    assert client is not None
    ends_at = process.tokens._clock.time_ns() // 1_000_000_000 + 3600  # noqa: SLF001 - the engine's own time
    behalf = Behalf("a user", "a user", str(app.grant_id), store=None, auth_time=0, ends_at=ends_at)
    early, _ = process.tokens.issue(client, ["orders:read"], (ISSUER,), behalf)
    assert process.tokens.find(early) is not None
    process.end_grant(app.grant_id)
    late, _ = process.tokens.issue(client, ["orders:read"], (ISSUER,), behalf)
    assert process.tokens.find(early) is None
    assert process.tokens.find(late) is None


def test_reuse_ends_the_grant_tells_the_feed_and_writes_it_down_in_one_transaction(
    process: Process, app: Connected, sqlite_seam: PlainSqlite
) -> None:
    tokens = [process.issuing.refresh_token_of(app.grant_id, generation) for generation in range(3)]
    for token in tokens[:2]:
        assert process.token(app, grant_type="refresh_token", refresh_token=token)[0] == 200
    form = [("grant_type", "refresh_token"), ("refresh_token", tokens[0])]

    def reuse(unit: Unit) -> None:
        status, _, _ = process.server.answer_token_request(
            lambda: ProtocolRequest(unit, method="POST", uri=ISSUER, headers=app.headers, form=form)
        )
        assert status == 400
        assert [notice.subject for notice in unit.notices] == [str(app.grant_id)]
        raise PowerCut

    with pytest.raises(PowerCut):
        sqlite_seam.transact(reuse)
    assert process.row(app.grant_id)["revoked_at"] is None
    assert events(process, app) == []
    assert process.token(app, **dict(form))[0] == 400
    assert process.row(app.grant_id)["revoked_at"] is not None
    assert events(process, app) == ["grant.refresh_reused"]


def events(process: Process, app: Connected) -> list[str]:
    found = process.transact(lambda unit: list_audit_events(unit, subject=str(app.grant_id)))
    return [event.event for event in found]
