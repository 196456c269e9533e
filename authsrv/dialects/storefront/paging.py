"""Pages: which one is asked for, and the links and counts beside it (JSON:API 1.1, 7.7)."""

from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from authsrv.kit.errors import DomainError
from authsrv.web.urls import own_url

_MOST = 100
_LAST_PAGE = 100_000
_NAMES = ("page", "per_page")


@dataclass(frozen=True, slots=True)
class Paging:
    """The `page`th so many, from 1."""

    page: int
    per_page: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.per_page


def read_paging(request: Request) -> Paging:
    """The query's `page` and `per_page`. Raises `invalid_parameter`."""
    return Paging(_read(request, "page", 1, _LAST_PAGE), _read(request, "per_page", 25, _MOST))


def beside(request: Request, path: str, paging: Paging, count: int, total: int) -> dict[str, Any]:
    """`meta` and `links` of a page with `count` of `total`."""
    last = max(1, ceil(total / paging.per_page))
    pages = {
        "self": paging.page,
        "next": min(paging.page + 1, last),
        "prev": max(1, min(paging.page - 1, last)),
        "last": last,
        "first": 1,
    }
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in _NAMES]
    links = {
        name: own_url(request, f"{path}?{urlencode([*kept, ('page', page), ('per_page', paging.per_page)])}")
        for name, page in pages.items()
    }
    return {"meta": {"count": count, "total_count": total, "total_pages": last}, "links": links}


def _read(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise DomainError("invalid_parameter", 400, f"{name} must be a whole number from 1 to {most}.")
    return int(text)
