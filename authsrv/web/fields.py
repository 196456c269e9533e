"""A form of ours as its page reads it: every field with all its values, and the complaints that stand beside them."""

from collections.abc import Iterator, Mapping, Sequence

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


def refuse_nul(texts: Iterator[str]) -> None:
    """No person types it, and PostgreSQL cannot keep it."""
    if any("\0" in text for text in texts):
        raise DomainError("invalid_request", 400, "A field has a character it cannot have.")
