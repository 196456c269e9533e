"""What decision 3 of the design promises about a refresh token, told again without a database: the oracle."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

ACCESS = timedelta(hours=1)


class Outcome(StrEnum):
    """What a refresh comes to."""

    STEP = "the next generation"
    REPEAT = "the same successor again"
    LEAP = "ahead of a database that lost its last commits"
    REUSE = "the grant dies"
    REFUSED = "nothing happens"

    @property
    def succeeds(self) -> bool:
        return self in {Outcome.STEP, Outcome.REPEAT, Outcome.LEAP}


@dataclass(frozen=True)
class Rules:
    """A client's lifetimes."""

    grace: timedelta
    idle: timedelta
    lives: timedelta


@dataclass(frozen=True)
class Row:
    """What the database knows."""

    generation: int
    used_at: datetime
    is_redeemed: bool


@dataclass
class Model:
    """One grant as it must be."""

    rules: Rules
    ends_at: datetime
    row: Row
    rotates: bool = True
    is_over: bool = False
    audit: list[str] = field(default_factory=list)

    def judge(self, presented: int, now: datetime) -> Outcome:
        """What must come of this generation's token now."""
        row, unused_for = self.row, now - self.row.used_at
        if self.is_over or now >= self.ends_at:
            return Outcome.REFUSED
        if presented > row.generation or not row.is_redeemed:
            return Outcome.LEAP
        if presented == row.generation:
            return Outcome.STEP if unused_for < self.rules.idle else Outcome.REFUSED
        if presented == row.generation - 1 and unused_for <= self.rules.grace:
            return Outcome.REPEAT if unused_for < self.rules.idle else Outcome.REFUSED
        return Outcome.REUSE

    def present(self, presented: int, now: datetime) -> Outcome:
        """The same, and what it changes."""
        outcome = self.judge(presented, now)
        match outcome:
            case Outcome.STEP | Outcome.LEAP:
                self.row = Row(presented + 1 if self.rotates else presented, now, is_redeemed=True)
                self.audit += ["grant.generation_leapt"] if outcome is Outcome.LEAP else []
            case Outcome.REPEAT:
                self.audit.append("grant.refresh_repeated")
            case Outcome.REUSE:
                self.is_over = True
                self.audit.append("grant.refresh_reused")
        return outcome

    def revoke(self, *, by_token: bool) -> None:
        if by_token and not self.is_over:
            self.audit.append("grant.revoked")
        self.is_over = True

    def put_back(self, row: Row) -> None:
        self.row = replace(row)


@dataclass
class Access:
    """An access token somebody holds."""

    text: str
    expires_at: int
    is_revoked: bool = False
