"""The doors that forms of the pages are sent to, and which story of the keyboard sends each."""

from collections.abc import Collection, Iterable

from starlette.routing import compile_path

from authsrv.pages.developers import webhooks
from authsrv.pages.operator import apps, people
from authsrv.routes import DIALECTS, DOORS

# Below a path; the longest that fits decides.
STORIES = {
    "/developers": "portal",
    "/developers/apps/{app}/keys": "portal-running",
    "/developers/apps/{app}/webhooks": "portal-running",
    "/store": "store",
    "/invitations": "store",
    "/operator": "operator",
    "/account": "pages",
    "/consent": "pages",
    "/sign-in": "pages",
    "/sign-in/resend": "pages-keyboard",
    "/sign-out": "pages",
}
# Doors with several forms, told apart by the end of the path.
ACTS: dict[str, Collection[str]] = {
    "/developers/apps/{app}/webhooks/{webhook}/do/{act}": webhooks.ACTS,
    "/operator/apps/{app}/{act}": apps.ACTS,
    "/operator/people/{person}/{act}": people.ACTS,
}


def list_forms() -> list[str]:
    """The path of each form of the pages, one for each act; machines post to the standards' and the dialects' paths."""
    of_dialects = {door.path for dialect in DIALECTS for door in dialect.DOORS}
    posted = [door.path for door in DOORS if "POST" in door.handlers and door.path not in of_dialects]
    of_pages = [path for path in posted if not path.startswith("/oauth/")]
    return [path.replace("{act}", act) for path in of_pages for act in ACTS.get(path, ("{act}",))]


def story_of(form: str) -> str | None:
    """Who is to send it; None where nobody is."""
    fitting = [path for path in STORIES if form == path or form.startswith(f"{path}/")]
    return STORIES[max(fitting, key=len)] if fitting else None


def list_unsent(story: str, posts: Iterable[str]) -> list[str]:
    """The forms that are this story's to send, and that are not among the paths it sent something to."""
    sent = set(posts)
    own = [form for form in list_forms() if story_of(form) == story]
    return [form for form in own if not any(compile_path(form)[0].match(path) for path in sent)]
