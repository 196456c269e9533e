"""A form of ours as its page reads it: every field with all its values, and the complaints that stand beside them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from authsrv.kit.errors import DomainError
from authsrv.web.csrf import FIELD, check_csrf
from authsrv.web.forms import read_form


class Fields(Mapping[str, str]):
    """The first value of each field; `all` has every one."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._pairs = list(pairs)

    def __getitem__(self, name: str) -> str:
        for field, text in self._pairs:
            if field == name:
                return text
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))

    def one(self, name: str) -> str:
        """What was typed, without the spaces around it; empty where it is missing."""
        return self.get(name, "").strip()

    def all(self, name: str) -> list[str]:
        """Every value of the field that is not empty, in their order."""
        return [text.strip() for field, text in self._pairs if field == name and text.strip()]

    def lines(self, name: str) -> list[str]:
        """The lines of a text field that hold something."""
        return [line.strip() for line in self.get(name, "").splitlines() if line.strip()]


async def read_fields(request: Request) -> Fields:
    """The form. Raises CrossSite, StaleForm, and what `read_form` raises."""
    fields = Fields(await read_form(request))
    check_csrf(request, fields.get(FIELD))
    refuse_nul(fields.get(name, "") for name in fields)
    return fields


async def read_upload(request: Request) -> bytes:
    """The content of the one file of a multipart form (RFC 7578), empty where none was chosen.

    Raises CrossSite, StaleForm, and `invalid_request` for what is no such form.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise DomainError("invalid_request", 415, "The body must be multipart/form-data.")
    try:
        async with request.form(max_files=1, max_fields=5, max_part_size=4096) as form:
            token, file = form.get(FIELD), form.get("file")
            content = await file.read() if isinstance(file, UploadFile) else b""
    except HTTPException:
        # Starlette's own word for a form that cannot be read.
        raise DomainError("invalid_request", 400, "The body is not a valid form.") from None
    check_csrf(request, token if isinstance(token, str) else None)
    return content


def refuse_nul(texts: Iterable[str]) -> None:
    """No person types it, and PostgreSQL cannot keep it."""
    if any("\0" in text for text in texts):
        raise DomainError("invalid_request", 400, "A field has a character it cannot have.")
