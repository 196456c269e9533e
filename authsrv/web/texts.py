"""What people read, in their language, chosen by ui_locales, Accept-Language, English.

A language is a TOML file, `de.toml`, and a folder beside it with a file for each larger area, `de/developers.toml`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.core import negotiate_locale
from markupsafe import Markup
from starlette.requests import Request

from authsrv.web.languages import accepted_languages

DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """One language's texts by dotted key; `tag` is its BCP 47 name."""

    tag: str
    texts: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """The text with its `{placeholders}` filled. A key that is not there is a bug and raises KeyError."""
        return self.texts[key].format(**values)

    def sentence(self, scope: str, fallback: str) -> str:
        """What a scope allows, in this language; the catalogue's own sentence where nobody translated it."""
        return self.texts.get(f"scope.{scope}", fallback)

    def markup(self, key: str, **values: object) -> Markup:
        """The same where the text itself holds markup: what is filled in is escaped."""
        return Markup(self.texts[key]).format(**values)  # noqa: S704  # the texts are our own files


class Texts:
    """All languages there are."""

    def __init__(self, folder: Path) -> None:
        self._languages = {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}

    @property
    def tags(self) -> list[str]:
        return list(self._languages)

    def of(self, tag: str) -> Language:
        return self._languages[tag]

    def choose(self, request: Request) -> Language:
        """The first language we have of those the request asks for (OIDC Core, 3.1.2.1; RFC 9110, 12.5.4)."""
        asked = request.query_params.get("ui_locales", "").split()
        asked += accepted_languages(request)
        tag = negotiate_locale(asked, self.tags, sep="-") if asked else None
        return self._languages[tag or DEFAULT]


def _read(path: Path) -> Language:
    texts: dict[str, str] = {}
    for part in (path, *sorted(path.with_suffix("").glob("*.toml"))):
        texts.update(_flat(tomllib.loads(part.read_text(encoding="utf-8"))))
    return Language(path.stem, texts)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value).strip()
