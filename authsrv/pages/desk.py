"""The frame of the pages for who runs a store or the server: a header, lines of navigation, and what was just done."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.web.templates import language_of, render


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the navigation; `key` names its words below `{area}.tab`."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class Desk:
    """An area with its own navigation: `operator`, or a `store` with the name people know it by."""

    area: str
    lines: Sequence[Line]
    name: str | None = None

    @property
    def home(self) -> str:
        return self.lines[0].path


def show_desk(
    request: Request,
    person: SignedIn,
    desk: Desk,
    template: str,
    status: int = 200,
    *,
    tab: str,
    **context: object,
) -> Response:
    """A page of the desk; it extends `desk.html`. `?done=` is said where there are words for it."""
    done = language_of(request).texts.get(f"{desk.area}.done.{request.query_params.get('done', '')}")
    return render(request, template, status, person=person, desk=desk, tab=tab, done=done, **context)  # type: ignore[arg-type]
