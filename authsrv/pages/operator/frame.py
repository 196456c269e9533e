"""The operator's navigation, and a list that is looked through a page at a time."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from starlette.requests import Request

from authsrv.kit.identifiers import parse_uuid
from authsrv.pages.desk import PAGE, Desk, Line

T = TypeVar("T")

_LONGEST_SEARCH = 200

DESK = Desk(
    "operator",
    (
        Line("queue", "/operator"),
        Line("apps", "/operator/apps"),
        Line("people", "/operator/people"),
        Line("stores", "/operator/stores"),
        Line("audit", "/operator/audit"),
    ),
)


def words_of(request: Request) -> str:
    """What is looked for."""
    return request.query_params.get("q", "").replace("\0", "").strip()[:_LONGEST_SEARCH]


def before_of(request: Request) -> UUID | None:
    """Behind which row the page begins."""
    return parse_uuid(request.query_params.get("before", ""))


def cut(rows: Sequence[T]) -> tuple[Sequence[T], bool]:
    """A page of what was asked for with one row more, and whether there is more."""
    return rows[:PAGE], len(rows) > PAGE
