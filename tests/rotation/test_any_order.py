"""Whatever happens to a chain of refresh tokens, in whatever order: it ends as decision 3 of the design promises."""

import os
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from authsrv.storage.audit import list_audit_events
from tests.rotation.engine import (
    VERIFIER,
    Connected,
    Process,
    Seam,
    begin,
    connect,
)
from tests.rotation.model import ACCESS, Access, Model, Outcome, Row, Rules

SECRET = "the-first-secret-of-this-server-is-long-enough"
DAY = timedelta(days=1)
RULES = {
    "spa": Rules(grace=timedelta(seconds=60), idle=30 * DAY, lives=365 * DAY),
    "web": Rules(grace=DAY, idle=30 * DAY, lives=365 * DAY),
    # Idle sooner than the grace is over, and a grant that ends while tokens live.
    "brief": Rules(grace=DAY, idle=timedelta(hours=2), lives=timedelta(hours=9, seconds=30)),
}
# A failover loses seconds; an honest client is not asked to survive the loss of weeks.
LOST_AT_MOST = timedelta(minutes=10)
# What kills comes seldom, or most examples would play with the dead.
PASSING = [timedelta(seconds=seconds) for seconds in (0, 0, 1, 1, 1, 5, 5, 20, 20, 30, 58, 61, 61)]
PASSING += [timedelta(hours=1), timedelta(hours=3), 2 * DAY, 29 * DAY, 31 * DAY]
KEPT = 5


class Rotation(RuleBasedStateMachine):
    """A client, a thief who has read everything it ever received, an operator, a person, and a database that fails."""

    def __init__(self, seam: Seam) -> None:
        super().__init__()
        self.seam = seam
        self.secrets = [SECRET]
        self.access: list[Access] = []
        self.texts: dict[int, tuple[str, str]] = {}
        self.kept: list[tuple[dict[str, Any], Row]] = []
        # The honest client's own view: the token it holds, since when, and when it first lost the answer to it.
        self.holds = 0
        self.since: datetime | None = None
        self.lost_at: datetime | None = None
        self.is_alone = True

    @initialize(kind=st.sampled_from(sorted(RULES)), rotates=st.sampled_from([True, True, True, False]))
    def a_person_connects_an_app(self, kind: str, rotates: bool) -> None:  # noqa: FBT001 - Hypothesis fills it in
        self.kind, rules, now = kind, RULES[kind], self.seam.clock.now()
        rotates = rotates or kind == "spa"
        begin(self.seam, self.secrets)
        self.process = Process(self.seam, self.secrets)
        own = {"refresh_idle_seconds": int(rules.idle.total_seconds())} if kind == "brief" else {}
        client_type = "spa" if kind == "spa" else "web"
        self.app: Connected = connect(
            self.process, client_type, lives=rules.lives, rotates_refresh_tokens=rotates, **own
        )
        self.model = Model(rules, now + rules.lives, Row(0, now, is_redeemed=False), rotates)
        self.keep()
        code = self.process.issuing.code_of(self.app.grant_id)
        status, body = self.process.token(self.app, grant_type="authorization_code", code=code, code_verifier=VERIFIER)
        assert status == 200, body
        self.model.row = Row(0, now, is_redeemed=True)
        self.since = now
        self.take(body, 0)

    @rule(
        losses=st.lists(st.booleans(), min_size=1, max_size=4),
        lost_commits=st.sampled_from([0, 0, 0, 1, 2, KEPT]),
        stolen=st.sampled_from([None, None, None, None, 1, 2, 4]),
    )
    def the_client_refreshes(self, losses: list[bool], lost_commits: int, stolen: int | None) -> None:
        for is_lost in losses:
            self.refresh(is_lost=is_lost)
        if lost_commits and not self.model.is_over:
            self.fail_over(lost_commits)
        if stolen is not None:
            self.steal(stolen)

    @precondition(lambda self: len(self.texts) > 1)
    @rule(age=st.sampled_from([0, 1, 1, 2, 3, 9]))
    def a_thief_sends(self, age: int) -> None:
        self.steal(age)

    def steal(self, age: int) -> None:
        """A thief sends a token they read once."""
        generation = max(0, max(self.texts) - age)
        if generation not in self.texts:
            return
        before = self.model.row
        outcome = self.present(generation)
        self.is_alone &= self.model.row == before and outcome is not Outcome.REUSE

    @rule(scope=st.sampled_from(["orders:write", "orders:read cart"]))
    def the_client_asks_for_more_than_it_has(self, scope: str) -> None:
        before = self.process.row(self.app.grant_id)
        outcome = self.model.judge(self.holds, self.seam.clock.now())
        if outcome is Outcome.REUSE:
            return
        form = {"grant_type": "refresh_token", "refresh_token": self.texts[self.holds][0], "scope": scope}
        status, body = self.process.token(self.app, **form)
        assert (status, body["error"]) == (400, "invalid_scope" if outcome.succeeds else "invalid_grant")
        assert self.process.row(self.app.grant_id) == before

    @precondition(lambda self: len(self.access) > 3)
    @rule(age=st.integers(1, 3))
    def the_client_revokes_an_access_token(self, age: int) -> None:
        token = self.access[-age]
        assert self.process.revoke(self.app, token.text) == (200, {})
        token.is_revoked = True

    @precondition(lambda self: len(self.access) > 5)
    @rule(age=st.sampled_from([0, 0, 1, 5]))
    def the_client_revokes_a_refresh_token(self, age: int) -> None:
        text, _ = self.texts.get(max(self.texts) - age, self.texts[self.holds])
        assert self.process.revoke(self.app, text) == (200, {})
        self.model.revoke(by_token=True)

    @precondition(lambda self: len(self.access) > 5)
    @rule()
    def the_person_disconnects_the_app(self) -> None:
        self.process.end_grant(self.app.grant_id)
        self.model.revoke(by_token=False)

    @rule(by=st.sampled_from(PASSING))
    def time_passes(self, by: timedelta) -> None:
        self.seam.clock.move(by)

    @rule()
    def the_operator_puts_a_new_secret_first(self) -> None:
        self.secrets = [f"{SECRET}-{len(self.secrets)}", *self.secrets]
        self.process = Process(self.seam, self.secrets)

    @rule()
    def the_signing_key_rotates(self) -> None:
        # The newest key signs; two of one moment would have no newest.
        self.seam.clock.move(timedelta(seconds=1))
        self.process.rotate_signing_keys()

    @precondition(lambda self: self.kind == "web")
    @rule()
    def the_operator_switches_rotation(self) -> None:
        self.model.rotates = not self.model.rotates
        self.process.set_rotation(self.app, rotates=self.model.rotates)

    @precondition(lambda self: not self.model.is_over)
    @rule(commits=st.integers(1, KEPT))
    def the_database_loses_its_last_commits(self, commits: int) -> None:
        self.fail_over(commits)

    def fail_over(self, commits: int) -> None:
        """A replica takes over that has not heard of so many commits."""
        now = self.seam.clock.now()
        row, known = self.kept[-min(commits, len(self.kept))]
        self.process.put_back(row)
        self.model.put_back(known)
        # Two that the loss of commits takes back and no generation tells: when a token was last used, and that a
        # client that does not rotate used it at all.
        if not self.model.rotates or now - known.used_at > self.model.rules.idle - LOST_AT_MOST:
            self.since = min(self.since or now, known.used_at)

    @invariant()
    def no_token_is_active_that_must_not_be_and_every_other_is(self) -> None:
        now = self.seam.clock.time_ns() // 1_000_000_000
        for token in self.access[-6:]:
            must_be = not (self.model.is_over or token.is_revoked or token.expires_at <= now)
            assert (self.process.tokens.find(token.text) is not None) == must_be

    @invariant()
    def the_row_is_what_the_model_says(self) -> None:
        row = self.process.row(self.app.grant_id)
        assert row["generation"] == self.model.row.generation
        assert (row["redeemed_at"] is not None) == self.model.row.is_redeemed
        assert (row["revoked_at"] is not None) == self.model.is_over

    def teardown(self) -> None:
        if not hasattr(self, "app"):
            return
        subject = str(self.app.grant_id)
        events = self.process.transact(lambda unit: list_audit_events(unit, subject=subject))
        assert [event.event for event in reversed(events)] == self.model.audit
        # A worker that starts now knows the same.
        self.process = Process(self.seam, self.secrets)
        self.no_token_is_active_that_must_not_be_and_every_other_is()

    def is_promised(self) -> bool:
        """Whether this client, at this moment, is one that must not be logged out."""
        now, rules = self.seam.clock.now(), self.model.rules
        if not self.is_alone or self.model.is_over or now >= self.model.ends_at or self.since is None:
            return False
        in_grace = self.lost_at is None or now - self.lost_at <= rules.grace
        return in_grace and now - self.since < rules.idle

    def refresh(self, *, is_lost: bool) -> None:
        """What the honest client does, and what it makes of the answer, if it gets one."""
        now = self.seam.clock.now()
        if self.is_promised():
            assert self.model.judge(self.holds, now).succeeds
        outcome = self.present(self.holds)
        if not outcome.succeeds:
            return
        if is_lost:
            self.lost_at = self.lost_at or now
            return
        self.holds, self.since, self.lost_at = self.model.row.generation, now, None

    def present(self, generation: int) -> Outcome:
        """Sends the token and holds the answer against the model."""
        self.keep()
        outcome = self.model.present(generation, self.seam.clock.now())
        form = {"grant_type": "refresh_token", "refresh_token": self.texts[generation][0]}
        status, body = self.process.token(self.app, **form)
        if outcome.succeeds:
            assert status == 200, (outcome, body)
            self.take(body, generation)
        else:
            assert (status, body["error"]) == (400, "invalid_grant"), outcome
        return outcome

    def take(self, body: dict[str, Any], presented: int) -> None:
        """Somebody reads an answer."""
        now, current = self.seam.clock.time_ns() // 1_000_000_000, self.model.row.generation
        ends = min(now + int(ACCESS.total_seconds()), int(self.model.ends_at.timestamp()))
        self.access.append(Access(body["access_token"], ends))
        if "refresh_token" not in body:
            assert current == presented
            assert not self.model.rotates
            return
        known = self.texts.get(current)
        if known is not None and known[1] == self.secrets[0]:
            assert body["refresh_token"] == known[0]
        self.texts[current] = body["refresh_token"], self.secrets[0]

    def keep(self) -> None:
        """Remembers the row as a replica may."""
        self.kept = [*self.kept, (self.process.row(self.app.grant_id), self.model.row)][-KEPT:]


# Other examples at each run; a failing one is printed with what brings it back.
@pytest.mark.parametrize(("engine", "examples", "steps"), [("sqlite", 30, 25), ("postgresql", 6, 20)])
def test_any_order_of_events_ends_as_promised(
    request: pytest.FixtureRequest, engine: str, examples: int, steps: int
) -> None:
    seam: Seam = request.getfixturevalue(f"{engine}_seam")
    wanted = examples * int(os.environ.get("AUTHSRV_TEST_EXAMPLES", "1"))
    told: list[Rotation] = []

    def begin_anew() -> Rotation:
        told.append(Rotation(seam))
        return told[-1]

    run_state_machine_as_test(
        # It only calls it, whatever its type says.
        cast("type[RuleBasedStateMachine]", begin_anew),
        settings=settings(
            max_examples=wanted,
            stateful_step_count=steps,
            derandomize=False,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    # Each of them asserted after every step that row, answers and audit log are what the model says.
    assert len(told) >= wanted
    assert any(len(rotation.texts) > 1 for rotation in told), "no token was ever refreshed"
