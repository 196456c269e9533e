"""An act asks for a reason first, and says what will happen; the reason stands in the audit log."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from authsrv.identity.sessions import SignedIn
from authsrv.pages.desk import show_desk
from authsrv.pages.operator.frame import DESK
from authsrv.web.fields import Fields

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What is about to be done, to whom, and the page they are on; `key` names the act's words."""

    key: str
    tab: str
    name: str
    path: str
    act_path: str
    is_danger: bool
    # The face of the app, where there is one to be seen.
    face: str = ""


def ask(
    request: Request, person: SignedIn, asked: Asked, *, reason: str = "", error: str | None = None, status: int = 200
) -> Response:
    """The page that asks, with what was typed."""
    return show_desk(
        request,
        person,
        DESK,
        "operator/act.html",
        status,
        tab=asked.tab,
        asked=asked,
        reason=reason,
        error=error,
        longest=LONGEST_REASON,
    )


def fault_of(reason: str) -> str | None:
    """The key of what is wrong with a reason, if anything."""
    if not reason:
        return "operator.reason_missing"
    return "operator.reason_long" if len(reason) > LONGEST_REASON else None


def reason_in(fields: Fields) -> str:
    return fields.one("reason")
