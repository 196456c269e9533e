"""Which engine a test is run on, where it is not each in turn."""

import pytest


def on_postgresql_alone(fixture: str = "world") -> pytest.MarkDecorator:
    """For what is refused, or understood, before the database has a say in it; `fixture` is the one of both engines.

    PostgreSQL, because it takes less: what slips through to it (a NUL, a text that is too long) fails there first.
    """
    return pytest.mark.parametrize(fixture, ["postgresql"], indirect=True)
