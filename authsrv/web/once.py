"""Forms that make something: each carries the id of what it will make, so that one sent twice makes it once."""

from collections.abc import Mapping
from uuid import UUID

from starlette.requests import Request

from authsrv.kit.errors import DomainError
from authsrv.kit.handles import Handle, Purpose
from authsrv.web.runtime import runtime_of

ONCE_FIELD = "once"
_ONCE = Purpose(14, "on_")


class SentBefore(DomainError):
    """What this form makes was made already."""

    def __init__(self) -> None:
        super().__init__("sent_before", 409, "This form was sent already.")


def once_token(request: Request) -> str:
    """The value of the hidden field `once`."""
    runtime = runtime_of(request)
    return runtime.sealer.seal(_ONCE, Handle(runtime.identifiers.next(), 0))


def once_id(request: Request, form: Mapping[str, str]) -> UUID:
    """The id of the row to be; whoever stores it raises SentBefore where there is one. Raises SentBefore."""
    handle = runtime_of(request).sealer.open(_ONCE, form.get(ONCE_FIELD, ""))
    if handle is None:
        raise SentBefore
    return handle.row_id
