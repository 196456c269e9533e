"""What a developer types about an app: judged field by field, each fault in words beside its field."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from authsrv.oauth.clients import CLIENT_TYPES
from authsrv.oauth.registration import RefusedUri, judge_redirect_uri, judge_web_uri
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.storage.clients import Client
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import language_of
from authsrv.web.texts import Language

SERVICE = "service"
LINKS = ("client_uri", "policy_uri", "tos_uri")
_LONGEST_NAME = 200
_MOST_URIS = 30


@dataclass(frozen=True, slots=True)
class AppForm:
    """The fields as typed; `redirect_uris` one a line."""

    name: str = ""
    type: str = "web"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    store: str = ""
    client_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""

    def wanted(self, catalogue: ScopeCatalogue) -> dict[str, Any]:
        """The values as a client takes them."""
        return {
            "name": self.name,
            "redirect_uris": list(self.redirect_uris),
            "post_logout_redirect_uris": list(self.post_logout_redirect_uris),
            "scope": " ".join(fitting_scopes(self, catalogue)),
            **{name: getattr(self, name) or None for name in LINKS},
        }


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """A scope with its sentence, and which kinds of app can have it."""

    name: str
    sentence: str
    for_people: bool
    for_services: bool


@dataclass(slots=True)
class Faults:
    """What is wrong, by field; `lines` has a fault for each faulty line of the redirect URIs."""

    of_field: dict[str, str] = field(default_factory=dict)
    lines: list[tuple[int, str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.of_field or self.lines)


def read_form(fields: Fields, client_type: str | None = None) -> AppForm:
    """The kind comes from the form only while the app is being made."""
    chosen = client_type or fields.one("type")
    is_service = chosen == SERVICE
    return AppForm(
        name=" ".join(fields.one("name").split()),
        type=chosen,
        redirect_uris=() if is_service else _once(fields.lines("redirect_uris")),
        post_logout_redirect_uris=() if is_service else _once(fields.lines("post_logout_redirect_uris")),
        scopes=tuple(fields.all("scope")),
        store=fields.one("store") if is_service else "",
        **{name: fields.one(name) for name in LINKS},
    )


def form_of(client: Client) -> AppForm:
    """The form as it stands before anything is typed."""
    return AppForm(
        name=client.name,
        type=client.type,
        redirect_uris=tuple(client.redirect_uris),
        post_logout_redirect_uris=tuple(client.post_logout_redirect_uris),
        scopes=tuple(client.scope.split()),
        **{name: getattr(client, name) or "" for name in LINKS},
    )


def fitting_scopes(form: AppForm, catalogue: ScopeCatalogue) -> list[str]:
    """Those ticked that an app of this kind can have: a service speaks for no person, and the others for none else."""
    fits = catalogue.for_services if form.type == SERVICE else catalogue.for_people
    return fits([scope.name for scope in catalogue.scopes if scope.name in form.scopes])


def scope_lines(request: Request) -> list[ScopeLine]:
    """The scopes there are, as the form shows them."""
    language = language_of(request)
    return [
        ScopeLine(scope.name, language.sentence(scope.name, scope.sentence), scope.for_people, scope.for_services)
        for scope in runtime_of(request).server.scopes.scopes
    ]


def judge_form(form: AppForm, catalogue: ScopeCatalogue, language: Language, stores: Sequence[str] | None) -> Faults:
    """Every fault there is; `stores` are those that a service of this person may work in, None once it is made."""
    faults = Faults()
    if not form.name or len(form.name) > _LONGEST_NAME or not form.name.isprintable():
        faults.of_field["name"] = language.say("developers.fault.name")
    if form.type not in CLIENT_TYPES:
        faults.of_field["type"] = language.say("developers.fault.type")
    elif not fitting_scopes(form, catalogue):
        faults.of_field["scope"] = language.say("developers.fault.scope")
    _judge_place(form, faults, language, stores)
    for name in LINKS:
        if (link := getattr(form, name)) and (fault := _fault_of_link(link, name)):
            faults.of_field[name] = language.say(f"developers.uri_fault.{fault}")
    for uri in form.post_logout_redirect_uris:
        if fault := fault_of_redirect_uri(uri, form.type):
            words = language.say(f"developers.uri_fault.{fault}")
            faults.of_field["post_logout_redirect_uris"] = f"{uri[:200]}: {words}"
    return faults


def fault_of_redirect_uri(uri: str, client_type: str) -> str | None:
    """The key of what is wrong with it, or None; the same judgement as at registration."""
    try:
        judge_redirect_uri(uri, client_type)
    except RefusedUri as refused:
        return refused.fault
    return None


def _judge_place(form: AppForm, faults: Faults, language: Language, stores: Sequence[str] | None) -> None:
    if form.type == SERVICE:
        if stores is not None and form.store not in stores:
            faults.of_field["store"] = language.say("developers.fault.store")
        return
    if not form.redirect_uris:
        faults.of_field["redirect_uris"] = language.say("developers.fault.redirect_uris")
    if len(form.redirect_uris) > _MOST_URIS:
        faults.of_field["redirect_uris"] = language.say("developers.fault.too_many_uris", most=_MOST_URIS)
        return
    for number, uri in enumerate(form.redirect_uris, 1):
        if fault := fault_of_redirect_uri(uri, form.type):
            faults.lines.append((number, uri[:200], language.say(f"developers.uri_fault.{fault}")))


def _fault_of_link(uri: str, name: str) -> str | None:
    try:
        judge_web_uri(uri, name)
    except RefusedUri as refused:
        return refused.fault
    return None


def _once(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
