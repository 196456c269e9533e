"""A list that is looked through a page at a time: what is looked for, and where the page begins and ends."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from starlette.requests import Request

from authsrv.kit.identifiers import parse_uuid

T = TypeVar("T")

# Rows on a page.
PAGE = 50
_LONGEST_SEARCH = 200


def words_of(request: Request) -> str:
    """What is looked for."""
    return request.query_params.get("q", "").replace("\0", "").strip()[:_LONGEST_SEARCH]


def before_of(request: Request) -> UUID | None:
    """Behind which row the page begins."""
    return parse_uuid(request.query_params.get("before", ""))


def cut(rows: Sequence[T]) -> tuple[Sequence[T], bool]:
    """A page of what was asked for with one row more, and whether there is more."""
    return rows[:PAGE], len(rows) > PAGE
