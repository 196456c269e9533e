"""Pages: templates rendered in the person's language, with headers that let nothing foreign in (CSP Level 3)."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authsrv.web.csrf import csrf_token, keep_browser
from authsrv.web.runtime import runtime_of
from authsrv.web.texts import Language

# form-action is left out: Chromium holds the redirects after a form to it, and those lead to apps of any address.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'{images}; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
    # `no-referrer` would turn the Origin of our own forms into `null`.
    "Referrer-Policy": "same-origin",
}


def render(
    request: Request,
    name: str,
    /,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    logo_url: str | None = None,
    calls_home: bool = False,
    **context: object,
) -> Response:
    """The page `name` of `pages/templates`. `logo_url` is the one image from elsewhere that the page may show.

    `calls_home` lets its script ask us.

    Templates know, besides their context: `t` and `m` (texts by key, plain and with markup), `url` (path → link),
    `asset`, `csrf` (the hidden field's value), `when` (a time in words), `ago` (the same, told from now), `number`
    (with the language's separators), `lang`, `here` (this page, query included).
    """
    stationery = runtime_of(request).stationery
    language = language_of(request)
    body = stationery.fill(
        name,
        language,
        url=partial(link, request),
        asset=lambda file: _base(request) + stationery.assets.path(file),
        csrf=lambda: csrf_token(request),
        when=partial(spell_moment, language),
        number=partial(_number, language),
        ago=partial(_ago, language, runtime_of(request).clock.now()),
        here=_here(request),
        logo_url=logo_url,
        **context,
    )
    policy = _POLICY.format(images=f" {_origin(logo_url)}" if logo_url else "")
    if calls_home:
        policy += "; connect-src 'self'"
    own = {**_HEADERS, "Content-Security-Policy": policy, **(headers or {})}
    response = Response(body, status, own, media_type="text/html")
    keep_browser(request, response)
    return response


def error_page(
    request: Request,
    status: int,
    title_key: str,
    text: str,
    *,
    advice: str | None = None,
    action: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A refusal a person can read: `title_key` names a text, `text` explains, `advice` says what to do.

    `action` is a way on, as (link, what it says).
    """
    title = language_of(request).say(title_key)
    context: dict[str, Any] = {"title": title, "text": text, "advice": advice, "action": action}
    return render(request, "error.html", status, headers=headers, **context)


def language_of(request: Request) -> Language:
    """The language this person reads."""
    return runtime_of(request).stationery.texts.choose(request)


def link(request: Request, path: str, **query: str | None) -> str:
    """The link to a path of ours, wherever we are mounted; what is None is left out, the language asked for is kept."""
    asked = {name: value for name, value in query.items() if value is not None}
    if locales := request.query_params.get("ui_locales"):
        asked.setdefault("ui_locales", locales)
    return _base(request) + path + (f"?{urlencode(asked)}" if asked else "")


def redirect(request: Request, path: str, **query: str | None) -> Response:
    """See other (RFC 9110, 15.4.4): a page of ours, after a form."""
    return RedirectResponse(link(request, path, **query), 303, {"Cache-Control": "no-store"})


def local_path(request: Request, text: str | None) -> str | None:
    r"""Where to go on: a path on this host, below the issuer's path, or None for what could lead anywhere else.

    CWE-601: browsers take `//host` and `/\host` for another site, and drop tabs and line ends before they look.
    """
    if not text or not text.startswith("/") or text.startswith("//") or len(text) > 8000:
        return None
    if "\\" in text or any(character <= " " or character == "\x7f" for character in text):
        return None
    path = runtime_of(request).settings.issuer_path
    below = text == path or text.startswith((f"{path}/", f"{path}?"))
    return text if below and ".." not in text.partition("?")[0].split("/") else None


def _base(request: Request) -> str:
    """What stands before our paths: the issuer's path and, under `/stores/…`, the store's."""
    root: str = request.scope.get("root_path", "")
    own = runtime_of(request).settings.issuer_path
    return root if root.startswith(own) else own + root


def _here(request: Request) -> str:
    path: str = request.scope["path"]
    root: str = request.scope.get("root_path", "")
    query = request.url.query
    return _base(request) + path.removeprefix(root) + (f"?{query}" if query else "")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def spell_moment(language: Language, moment: datetime) -> str:
    """A day and a time of it, as the language writes them; in UTC, and saying so."""
    day = format_date(moment, "medium", locale=language.tag)
    return f"{day}, {format_time(moment, 'short', locale=language.tag)} UTC"


def _number(language: Language, number: int) -> str:
    return format_decimal(number, locale=language.tag)


def _ago(language: Language, now: datetime, moment: datetime | None) -> Markup:
    """A time as it lies from now, with the exact one for who points at it."""
    if moment is None:
        return Markup(language.say("page.never"))  # noqa: S704  # the texts are our own files
    words = format_timedelta(moment - now, add_direction=True, locale=language.tag, threshold=1)
    exact = spell_moment(language, moment)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(timespec="seconds"), exact, words)
