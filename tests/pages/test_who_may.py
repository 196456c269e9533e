"""Who may see and do what: every page and action of the portal, the store and the operator, as everybody there is.

One line a path. What each gets: `page` (200), `in` (sent to sign in), `none` (404, as if it were not there), `look`
(403, a viewer), `done` (the action is taken: a redirect, or a page), `typed` (400: allowed, but nothing was typed).
"""

from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest

from authsrv.identity.invitations import invite
from authsrv.oauth.approvals import request_approval
from authsrv.routes import DOORS
from authsrv.storage.api_keys import list_app_keys
from authsrv.storage.client_members import VIEWER, add_member
from authsrv.storage.clients import find_client
from authsrv.storage.deliveries import list_deliveries
from authsrv.storage.invitations import INTO_APP
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from authsrv.storage.webhooks import list_app_webhooks
from tests.portal import Developer, Made, join, row_of, token_in
from tests.support.world import World

PEOPLE = ("nobody", "customer", "staff", "owner", "viewer", "admin", "stranger", "operator")
STATUSES = {"page": {200}, "in": {303}, "none": {404}, "look": {403}, "done": {200, 303}, "typed": {400, 409}}


@dataclass(frozen=True)
class Rule:
    """What everybody gets at a path; who is not named gets `others`."""

    method: str
    path: str
    others: str
    named: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    # What a part of the path stands for, where it is not the same everywhere.
    at: dict[str, str] = field(default_factory=dict)

    def expected(self, person: str) -> str:
        return "in" if person == "nobody" else self.named.get(person, self.others)


def members(method: str, path: str, admin: str = "page", viewer: str = "page", **typed: str) -> Rule:
    """A page or action of an app."""
    return Rule(method, f"/developers/apps/{{app}}{path}", "none", {"admin": admin, "viewer": viewer}, typed)


def acts(path: str, admin: str = "done", **typed: str) -> Rule:
    """An action of its admins."""
    return members("POST", path, admin, "look", **typed)


# In the order of the map; deleting comes last, since nothing comes after it.
PORTAL = (
    Rule("GET", "/developers", "page"),
    Rule("GET", "/developers/new", "page"),
    Rule("POST", "/developers/new", "typed"),
    Rule("GET", "/developers/check", "page"),
    Rule("GET", "/developers/invitations/{invitation}", "page"),
    Rule("POST", "/developers/invitations/{invitation}", "none"),
    Rule("GET", "/developers/try/callback", "done"),
    members("GET", ""),
    members("GET", "/credentials"),
    members("GET", "/settings"),
    members("GET", "/events"),
    members("GET", "/team"),
    members("GET", "/try"),
    acts("/approval", "typed"),
    acts("/approval/withdraw", kind="change"),
    acts("/secrets", "typed"),
    acts("/secrets/end", "none"),
    acts("/public-keys", "typed"),
    acts("/settings", "typed"),
    acts("/logo", "typed"),
    acts("/logo/remove"),
    acts("/team", "typed"),
    acts("/team/role", "none"),
    acts("/team/remove", "none"),
    acts("/team/revoke"),
    acts("/try"),
    acts("/delete", "typed"),
    members("POST", "/team/leave", "typed", "done"),
)


def workers(method: str, path: str, owner: str = "page", staff: str = "page", **typed: str) -> Rule:
    """A page or action of a store."""
    return Rule(method, f"/store/{{prefix}}{path}", "none", {"owner": owner, "staff": staff}, typed)


def operators(method: str, path: str, operator: str = "page", **typed: str) -> Rule:
    """A page or action of the operator."""
    return Rule(method, f"/operator{path}", "none", {"operator": operator}, typed)


APP_PARTS = (
    members("GET", "/keys"),
    acts("/keys", "typed"),
    acts("/keys/{key}/revoke"),
    members("GET", "/usage"),
    members("GET", "/webhooks"),
    acts("/webhooks", "typed"),
    members("GET", "/webhooks/{webhook}"),
    acts("/webhooks/{webhook}", "typed"),
    replace(acts("/webhooks/{webhook}/do/{act}"), at={"act": "ping"}),
    acts("/webhooks/{webhook}/secret"),
    acts("/webhooks/{webhook}/redeliver"),
    members("GET", "/webhooks/{webhook}/deliveries/{delivery}"),
)
STORE = (
    Rule("GET", "/store", "page", {"owner": "done", "staff": "done", "admin": "done"}),
    workers("GET", ""),
    workers("POST", "/apps/disconnect", "done", "look", client_id="app_x"),
    # A key of another store.
    workers("POST", "/keys/revoke", "none", "look", key="{key}"),
    workers("POST", "/webhooks/remove", "none", "look", webhook="{webhook}"),
    workers("GET", "/customers"),
    workers("POST", "/customers", "done", "done", customer="{person}", decision="allow"),
    workers("POST", "/customers/all", "done", "done"),
    workers("GET", "/staff"),
    workers("POST", "/staff", "typed", "look"),
    workers("POST", "/staff/remove", "typed", "look", person="{owner}"),
    workers("POST", "/staff/invitations/revoke", "done", "look"),
    # One to an app does not lead into a store.
    Rule("GET", "/invitations/{invitation}", "none"),
    Rule("POST", "/invitations/{invitation}", "none"),
)
OPERATOR = (
    operators("GET", ""),
    operators("GET", "/requests/{request}"),
    operators("POST", "/requests/{request}", "typed"),
    operators("GET", "/apps"),
    operators("GET", "/apps/{app}"),
    operators("GET", "/apps/{app}/{act}"),
    operators("POST", "/apps/{app}/{act}", "typed"),
    operators("GET", "/people"),
    operators("GET", "/people/{person}"),
    operators("GET", "/people/{person}/{act}"),
    operators("POST", "/people/{person}/{act}", "typed"),
    operators("GET", "/stores"),
    operators("GET", "/stores/{prefix}"),
    operators("GET", "/audit"),
    operators("GET", "/audit.csv"),
)
RULES = (*PORTAL, *APP_PARTS, *STORE, *OPERATOR)


@dataclass
class Cast:
    """Everybody, and the app and store it is about."""

    world: World
    app: Made
    people: dict[str, Developer]
    places: dict[str, str]

    def gather(self) -> None:
        row = row_of(self.world, self.app.client_id)
        viewer = self.people["viewer"].user_id
        self.world.transact(lambda unit: add_member(unit, client_row_id=row.id, user_id=viewer, role=VIEWER))

    def go(self, person: str, rule: Rule) -> int:
        path = rule.path.format(**{**self.places, **rule.at})
        browser = self.people[person].browser
        if rule.method == "GET":
            return browser.get(path).status_code
        token = token_in(browser.get("/sign-out" if person == "nobody" else "/account")) if person != "nobody" else ""
        sent = {"csrf_token": token, **{name: text.format(**self.places) for name, text in rule.typed.items()}}
        # The one form with a file.
        files = {"file": ("logo.png", b"")} if path.endswith("/logo") else None
        return browser.post(path, data=sent, files=files).status_code


@pytest.fixture(scope="module")
def cast(sqlite_world: World) -> Cast:
    world = sqlite_world
    store, elsewhere = world.add_store().prefix, world.add_store().prefix
    people: dict[str, Developer] = {
        "nobody": Developer(world, "nobody@example.com"),
        **{role: Developer.signed_in(world, stores=(store,), role=role) for role in ("customer", "staff", "owner")},
        **{name: Developer.signed_in(world) for name in ("viewer", "stranger", "operator")},
        # Keys and webhooks are for stores where one works; the app's admin does in one that is not asked about here.
        "admin": Developer.signed_in(world, stores=(elsewhere,), role="staff"),
    }
    world.transact(lambda unit: _make_operator(unit, people["operator"]))
    # Somebody else's, so that the stranger has one of their own too.
    people["stranger"].create(name="Elsewhere")
    app = people["admin"].create()
    join(world, app, people["viewer"], "viewer")
    return Cast(world, app, people, {**_places(world, people, app, elsewhere), "prefix": store})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.method} {rule.path}")
def test_everybody_gets_what_is_theirs(cast: Cast, rule: Rule) -> None:
    # Whom an earlier line let leave is back.
    cast.gather()
    # Whoever is refused comes first: what the others do cannot change it.
    for person in PEOPLE:
        status = cast.go(person, rule)
        assert status in STATUSES[rule.expected(person)], f"{person}: {status}"


def test_every_page_and_action_has_its_rule() -> None:
    """A new door of these areas is let through here, or not, on purpose."""
    ruled = {(rule.method, rule.path) for rule in RULES}
    areas = tuple({f"/{rule.path.split('/')[1]}" for rule in RULES})
    doors = {
        (method, door.path)
        for door in DOORS
        for method in door.handlers
        if door.path in areas or door.path.startswith(tuple(f"{area}/" for area in areas))
    }
    assert doors == ruled


def _make_operator(unit: Unit, person: Developer) -> None:
    user = find_user_by_id(unit, person.user_id)
    assert user is not None
    user.is_operator = True
    unit.session.add(user)


def _invite(unit: Unit, world: World, app: Made) -> str:
    """A link that was sent to nobody here."""
    client = find_client(unit, app.client_id)
    assert client is not None
    _, link = invite(
        unit,
        world.runtime.sealer,
        kind=INTO_APP,
        target_id=client.id,
        email=f"{uuid4().hex}@example.com",
        role="viewer",
        invited_by=client.developer_id,
    )
    return link


def _places(world: World, people: dict[str, Developer], app: Made, store: str) -> dict[str, str]:
    """What the paths speak of: an app with a key and a webhook that was sent to, a request, a person, an invitation."""
    admin = people["admin"]
    admin.submit(admin.visit(f"{app.path}/keys"), f"{app.path}/keys", name="A key", store=store, scope="orders:read")
    hook = {"url": "https://parcels.example/hook", "store": store}
    admin.submit(admin.visit(f"{app.path}/webhooks"), f"{app.path}/webhooks", **hook)
    row = row_of(world, app.client_id)
    key = world.transact(lambda unit: list_app_keys(unit, row.id))[0][0]
    webhook = world.transact(lambda unit: list_app_webhooks(unit, row.id))[0][0]
    admin.do(app, f"/webhooks/{webhook.id}/do/ping")
    delivery = world.transact(lambda unit: list_deliveries(unit, webhook.id, 1))[0]
    request = world.transact(lambda unit: request_approval(unit, row, text="x" * 30, asked_by=admin.email))
    return {
        "app": app.client_id,
        "key": key.key_id,
        "webhook": str(webhook.id),
        "delivery": str(delivery.id),
        "request": str(request.id),
        "act": "suspend",
        "owner": str(people["owner"].user_id),
        "person": str(people["customer"].user_id),
        "invitation": world.transact(lambda unit: _invite(unit, world, app)),
    }
