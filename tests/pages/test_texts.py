"""Texts: complete in every language, and the right one for each person."""

import re
import string
from pathlib import Path

import httpx
import pytest

from authsrv.settings import config_file
from authsrv.web.stationery import Stationery
from tests.pages.conftest import Post
from tests.support.plain_http import NO_TLS

PACKAGE = Path(config_file("scopes.toml")).parent.parent / "authsrv"
TEXTS = Stationery().texts
LANGUAGES = [TEXTS.of(tag) for tag in TEXTS.tags]
SOURCES = [path.read_text(encoding="utf-8") for kind in ("html", "txt", "py") for path in PACKAGE.rglob(f"*.{kind}")]
# A key stands there whole, or its beginning or its end does, with something else put to it.
NAMED = re.compile(r"""["']([a-z0-9_]+(?:\.[a-z0-9_]+)*)["']""")
BEGUN = re.compile(r"""["']([a-z_]+\.[a-z_.]*)["'] ~|\bf"([a-z_]+\.[a-z_.]*)\{""")
ENDED = re.compile(r"""~ ["'](\.[a-z_.]+)["']|\bf"\{[a-z_.]+\}(\.[a-z_.]+)["{]""")


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_language_says_the_same_things() -> None:
    # English scopes are worded by the catalogue itself.
    keys = [{key for key in language.texts if not key.startswith("scope.")} for language in LANGUAGES]
    assert len(keys) >= 2
    assert all(one == keys[0] for one in keys)


def test_every_language_fills_in_the_same_things() -> None:
    english = TEXTS.of("en")
    for language in LANGUAGES:
        for key, text in english.texts.items():
            assert placeholders(language.texts[key]) == placeholders(text), (language.tag, key)


def test_what_templates_and_pages_say_is_there() -> None:
    asked = {
        key
        for source in SOURCES
        for key in re.findall(r"\b(?:t|m|say|markup)\(\s*\"([a-z_]+\.[a-z_.]+)\"", source)
        if not key.endswith((".", "_"))
    }
    assert len(asked) > 50
    assert asked <= set(TEXTS.of("en").texts)


def found(pattern: re.Pattern[str]) -> set[str]:
    return {next(filter(None, match.groups())) for source in SOURCES for match in pattern.finditer(source)}


def beginnings(key: str) -> set[str]:
    """The key, and all that it could be without its last words."""
    return {key, *(key[: gap.start()] for gap in re.finditer(r"[._]", key))}


def test_every_text_is_said_by_a_template_or_a_page() -> None:
    named, begun, ended = found(NAMED), found(BEGUN), found(ENDED)

    def is_said(key: str) -> bool:
        area, _, rest = key.partition(".")
        if key in named or any(key.startswith(start) for start in begun - {f"{area}."}):
            return True
        # Where no more than the area is put in front, what comes next is a word that stands somewhere.
        if f"{area}." in begun and not named.isdisjoint(beginnings(rest)):
            return True
        ends = [(end, *key.partition(end)) for end in ended]
        return any(start in named and cut and (not left or end.endswith(".")) for end, start, cut, left in ends)

    # Scopes are named by their catalogue.
    keys = [key for key in TEXTS.of("en").texts if not key.startswith("scope.")]
    assert [key for key in keys if not is_said(key)] == []


@pytest.mark.parametrize(
    ("query", "header", "tag"),
    [
        ("", "", "en"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "en;q=0.5, de;q=0.9", "de"),
        ("", "de;q=0, en", "en"),
        ("", "fr, ja", "en"),
        ("", ";;,q=,de;q=x", "en"),
        ("?ui_locales=de", "en", "de"),
        ("?ui_locales=fr-CA+de-CH+en", "en", "de"),
        ("?ui_locales=%00+xx", "de", "de"),
    ],
)
def test_the_language_is_the_one_asked_for(sqlite_post: Post, query: str, header: str, tag: str) -> None:
    page = httpx.get(f"{sqlite_post.world.url}/sign-in{query}", headers={"Accept-Language": header}, verify=NO_TLS)
    assert f'<html lang="{tag}">' in page.text


def test_the_language_asked_for_stays_through_the_steps(sqlite_post: Post) -> None:
    person = sqlite_post.person()
    asked = sqlite_post.ask(person, "/sign-in?ui_locales=de")
    assert '<html lang="de">' in asked.text
    assert "ist Ihr Anmeldecode" in sqlite_post.mails(person.email)[0]["subject"]
