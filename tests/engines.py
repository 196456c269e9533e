"""Which engine a test is run on, where it is not each in turn."""

import pytest


def on_sqlite_alone(fixture: str = "world") -> pytest.MarkDecorator:
    """For what is refused, or understood, before the database has a say in it; `fixture` is the one of both engines."""
    return pytest.mark.parametrize(fixture, ["sqlite"], indirect=True)
