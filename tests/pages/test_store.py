"""Who works in a store sees its apps and customers; its owner disconnects, invites and removes."""

import asyncio
import re
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest

from authsrv.identity.api_keys import NewApiKey, create_api_key
from authsrv.identity.customer_api import Customer, make_password
from authsrv.kit.entropy import SystemEntropy
from authsrv.storage.audit import list_audit_events
from authsrv.storage.clients import find_client
from authsrv.storage.store_people import list_staff
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_membership
from authsrv.storage.webhooks import find_webhook
from tests.actors import Service, misspelt
from tests.pages.conftest import Post
from tests.people import App, Person, forms_of
from tests.support.world import World


@dataclass
class Shop:
    """A store with its owner."""

    store: Store
    owner: Person

    @classmethod
    def opened(cls, world: World) -> "Shop":
        store = world.add_store()
        return cls(store, Person.signed_in(world, stores=(store.prefix,), role="owner"))

    def path(self, suffix: str = "") -> str:
        return f"/store/{self.store.prefix}{suffix}"


def press(by: Person, page: httpx.Response, action: str, **fields: str) -> httpx.Response:
    """Sends the form with this action that is about the person, app, key or decision named."""
    named = {
        name: fields[name]
        for name in ("client_id", "key", "customer", "decision", "person", "webhook")
        if name in fields
    }
    for at, form in enumerate(forms_of(page)):
        own = dict(form.fields)
        if form.method == "post" and form.action.endswith(action) and named.items() <= own.items():
            return by.send(page, form=at, **fields)  # type: ignore[arg-type]
    raise AssertionError(f"no form for {action} with {named}")


@pytest.fixture
def shop(sqlite_world: World) -> Shop:
    return Shop.opened(sqlite_world)


def test_who_works_in_one_store_is_led_there_and_in_several_picks_one(sqlite_world: World, shop: Shop) -> None:
    assert shop.owner.visit("/store").url.path == shop.path()
    second = sqlite_world.add_store()
    both = Person.signed_in(sqlite_world, stores=(shop.store.prefix, second.prefix), role="staff")
    choice = both.visit("/store")
    assert choice.url.path == "/store"
    assert f'href="{shop.path()}"' in choice.text
    assert f'href="/store/{second.prefix}"' in choice.text
    customer = Person.signed_in(sqlite_world, stores=(shop.store.prefix,))
    assert "You work in no store" in customer.visit("/store").text


def test_an_owner_disconnects_an_app_for_everybody(world: World) -> None:
    shop = Shop.opened(world)
    app = App.registered(world, name="Parcel & Post")
    customers = [Person.signed_in(world, stores=(shop.store.prefix,)) for _ in range(2)]
    tokens = [app.log_in(one) for one in customers]
    page = shop.owner.visit(shop.path())
    assert "Parcel &amp; Post" in page.text
    assert "Allowed by 2 people" in page.text
    assert "See your orders" in page.text
    done = press(shop.owner, page, "/apps/disconnect", client_id=app.credentials.client_id)
    assert "The app was disconnected from your store" in done.text
    assert "Parcel &amp; Post" not in done.text
    for token in tokens:
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        assert world.http.get("/orders", headers=bearer).status_code == 401
        assert app.refresh(token["refresh_token"]).status_code == 400
    # Another store's people are not touched, and here people can connect it again.
    assert app.log_in(customers[0])["access_token"]
    event = world.transact(lambda unit: list_audit_events(unit, subject=app.credentials.client_id))
    assert "store.app_disconnected" in [one.event for one in event]


def test_another_stores_permissions_stay(sqlite_world: World, shop: Shop) -> None:
    app, other = App.registered(sqlite_world), sqlite_world.add_store()
    elsewhere = app.log_in(Person.signed_in(sqlite_world, stores=(other.prefix,)))
    app.log_in(Person.signed_in(sqlite_world, stores=(shop.store.prefix,)))
    press(shop.owner, shop.owner.visit(shop.path()), "/apps/disconnect", client_id=app.credentials.client_id)
    bearer = {"Authorization": f"Bearer {elsewhere['access_token']}"}
    assert sqlite_world.http.get("/orders", headers=bearer).status_code == 200
    assert app.refresh(elsewhere["refresh_token"]).status_code == 200


def test_a_service_of_the_store_loses_it_at_once(sqlite_world: World, shop: Shop) -> None:
    service = Service.hired(sqlite_world, store=shop.store.prefix)
    assert sqlite_world.http.get("/orders?customer_id=1", headers=service.bearer).status_code == 200
    # A process that has not heard of it yet may go on issuing for a moment.
    tokens, unaware = sqlite_world.runtime.server.tokens, sqlite_world.runtime.server.clients.recall(service.client_id)
    assert unaware is not None
    page = shop.owner.visit(shop.path())
    assert "Belongs to your store" in page.text
    assert "register it anew" in page.text
    press(shop.owner, page, "/apps/disconnect", client_id=service.client_id)
    assert sqlite_world.http.get("/orders?customer_id=1", headers=service.bearer).status_code == 401
    late = {"Authorization": f"Bearer {tokens.issue(unaware, ['orders:read'], (tokens.issuer,))[0]}"}
    assert sqlite_world.http.get("/orders?customer_id=1", headers=late).status_code == 401
    fresh = {"Authorization": f"Bearer {service.ask_for_token().json()['access_token']}"}
    assert sqlite_world.http.get("/orders?customer_id=1", headers=fresh).status_code == 403


def test_an_owner_revokes_a_key_of_the_store(sqlite_world: World, shop: Shop) -> None:
    def make(unit: Unit) -> tuple[str, str]:
        new = NewApiKey("Till", "dev@example.com", shop.store.prefix, "orders:read")
        key, text = create_api_key(unit, new, allowed_scopes=["orders:read"], entropy=SystemEntropy(), actor="test")
        return key.key_id, text

    key_id, text = sqlite_world.transact(make)
    bearer = {"Authorization": f"Bearer {text}"}
    assert sqlite_world.http.get("/orders?customer_id=1", headers=bearer).status_code == 200
    page = shop.owner.visit(shop.path())
    assert text not in page.text
    assert text[-4:] in page.text
    done = press(shop.owner, page, "/keys/revoke", key=key_id)
    assert "The key was revoked" in done.text
    assert sqlite_world.http.get("/orders?customer_id=1", headers=bearer).status_code == 401


def test_an_owner_removes_a_webhook_and_an_apps_go_with_it(sqlite_world: World, shop: Shop) -> None:
    app = App.registered(sqlite_world)

    def listen(unit: Unit) -> list[str]:
        store = sqlite_world.runtime.stores.find(unit, shop.store.prefix)
        client = find_client(unit, app.credentials.client_id)
        assert store is not None
        made = [
            sqlite_world.runtime.webhooks.create(unit, store, url, [], developer_id=None, actor="test", app=of)[0]
            for url, of in (("https://a.example/one", None), ("https://a.example/two", client))
        ]
        return [str(webhook.id) for webhook in made]

    ids = sqlite_world.transact(listen)
    page = shop.owner.visit(shop.path())
    assert "https://a.example/one" in page.text
    done = press(shop.owner, page, "/webhooks/remove", webhook=ids[0])
    assert "The webhook was removed" in done.text
    assert "https://a.example/one" not in done.text
    app.log_in(Person.signed_in(sqlite_world, stores=(shop.store.prefix,)))
    press(shop.owner, shop.owner.visit(shop.path()), "/apps/disconnect", client_id=app.credentials.client_id)
    # Gone, not off: its developer could switch it on again.
    assert sqlite_world.transact(lambda unit: find_webhook(unit, UUID(ids[1]))) is None


def test_staff_look_after_customers_and_leave_the_rest_to_owners(sqlite_world: World, shop: Shop) -> None:
    app = App.registered(sqlite_world)
    customer = Person.signed_in(sqlite_world, stores=(shop.store.prefix,))
    app.log_in(customer)
    staff = Person.signed_in(sqlite_world, stores=(shop.store.prefix,), role="staff")
    page = staff.visit(shop.path())
    assert "Disconnect" not in page.text
    token = dict(forms_of(page)[0].fields)["csrf_token"]
    for path, fields in (
        ("/apps/disconnect", {"client_id": app.credentials.client_id}),
        ("/keys/revoke", {"key": "ak_none"}),
        ("/staff", {"email": "x@example.com"}),
        ("/staff/remove", {"person": str(shop.owner.user_id)}),
        ("/staff/invitations/revoke", {"invitation": str(uuid4())}),
    ):
        assert staff.browser.post(shop.path(path), data={"csrf_token": token, **fields}).status_code == 403
    assert app.credentials.client_id in shop.owner.visit(shop.path()).text
    allowed = press(
        staff, staff.visit(shop.path("/customers")), "/customers", customer=str(customer.user_id), decision="allow"
    )
    assert "may use the Customer API now" in allowed.text


def may_use(world: World, shop: Shop, person: Person) -> bool:
    def look(unit: Unit) -> bool:
        membership = find_membership(unit, store_id=shop.store.id, user_id=person.user_id)
        assert membership is not None
        return membership.may_use_customer_api

    return world.transact(look)


def test_customers_are_found_and_allowed_one_by_one(sqlite_world: World, shop: Shop) -> None:
    nell = Person.signed_in(sqlite_world, stores=(shop.store.prefix,), name="Nell Never")
    omar = Person.signed_in(sqlite_world, stores=(shop.store.prefix,), name="Omar Once")
    page = shop.owner.visit(shop.path("/customers?q=never"))
    assert nell.email in page.text
    assert omar.email not in page.text
    assert "0 of 2 customers" in page.text
    done = press(shop.owner, page, "/customers", customer=str(nell.user_id), decision="allow")
    assert "1 of 2 customers" in done.text
    assert omar.email not in done.text  # what was looked for stays
    assert (may_use(sqlite_world, shop, nell), may_use(sqlite_world, shop, omar)) == (True, False)
    assert "Nobody" not in shop.owner.visit(shop.path("/customers?q=zzz")).text
    assert "No customer has that" in shop.owner.visit(shop.path("/customers?q=zzz")).text


def test_withdrawing_stops_passwords_and_tokens_of_one_or_all(world: World) -> None:
    shop = Shop.opened(world)
    people = [Person.signed_in(world, stores=(shop.store.prefix,)) for _ in range(3)]
    press(shop.owner, shop.owner.visit(shop.path("/customers")), "/customers/all", decision="allow")
    assert all(may_use(world, shop, one) for one in people)
    passwords = [password_of(world, shop, one) for one in people]
    assert all(is_taken(world, password) for password in passwords)
    page = shop.owner.visit(shop.path("/customers"))
    press(shop.owner, page, "/customers", customer=str(people[0].user_id), decision="withdraw")
    assert [is_taken(world, password) for password in passwords] == [False, True, True]
    done = press(shop.owner, shop.owner.visit(shop.path("/customers")), "/customers/all", decision="withdraw")
    assert "0 of 3 customers" in done.text
    assert not any(is_taken(world, password) for password in passwords)
    press(shop.owner, shop.owner.visit(shop.path("/customers")), "/customers/all", decision="allow")
    assert all(is_taken(world, password) for password in passwords)


def password_of(world: World, shop: Shop, person: Person) -> tuple[str, str]:
    customer = Customer(person.user_id, shop.store.id, person.email, shop.store.prefix)
    made = world.transact(lambda unit: make_password(unit, customer, entropy=SystemEntropy(), actor="test"))
    return made.client_id, made.client_secret


def is_taken(world: World, password: tuple[str, str]) -> bool:
    """Whether the server still takes it for whose it is."""
    client_id = password[0]
    clients = world.runtime.server.clients
    client = world.transact(lambda unit: clients.find(unit, client_id))
    return client is not None and not client.is_suspended


def test_customers_are_leafed_through(world: World) -> None:
    shop = Shop.opened(world)
    emails = {Person.signed_in(world, stores=(shop.store.prefix,)).email for _ in range(53)}
    first = shop.owner.visit(shop.path("/customers"))
    following = re.findall(r'rel="next" href="([^"]+)"', first.text)[0].replace("&amp;", "&")
    second = shop.owner.visit(following)
    seen = {email for email in emails if email in first.text}, {email for email in emails if email in second.text}
    assert (len(seen[0]), len(seen[1]), seen[0] | seen[1]) == (50, 3, emails)


def link_in(post: Post, email: str) -> str:
    text = post.mails(email)[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    return str(re.findall(r"/invitations/\S+", text)[0])


def test_staff_are_invited_by_mail_and_join_once(post: Post) -> None:
    shop, guest = Shop.opened(post.world), post.person()
    sent = press(shop.owner, shop.owner.visit(shop.path("/staff")), "/staff", email=guest.email, role="staff")
    assert "The invitation is on its way" in sent.text
    assert guest.email in sent.text
    link = link_in(post, guest.email)
    asked = guest.visit(link)
    assert asked.url.path == "/sign-in"
    page = guest.send(guest.send(asked, email=guest.email), code=post.code(guest.email, 2))
    assert page.url.path == link
    joined = guest.send(page)
    assert joined.url.path == shop.path()
    assert "You work here now" in joined.text
    assert guest.visit(link).status_code == 404
    assert guest.email not in shop.owner.visit(shop.path("/staff")).text.split("Invitations")[1]


def test_one_address_is_not_flooded_with_invitations(sqlite_post: Post) -> None:
    shop = Shop.opened(sqlite_post.world)
    page = shop.owner.visit(shop.path("/staff"))
    pages = [press(shop.owner, page, "/staff", email="flooded@example.com", role="staff") for _ in range(5)]
    assert [page.status_code for page in pages] == [200, 200, 200, 200, 429]
    assert 0 < int(pages[-1].headers["retry-after"]) <= 86_400


def test_an_invitation_is_worth_nothing_to_anybody_else(sqlite_post: Post) -> None:
    post = sqlite_post
    shop, guest = Shop.opened(post.world), post.person()
    press(shop.owner, shop.owner.visit(shop.path("/staff")), "/staff", email=guest.email, role="owner")
    link = link_in(post, guest.email)
    thief = Person.signed_in(post.world)
    page = thief.visit(link)
    assert "somebody else" in page.text
    assert guest.email not in page.text
    token = dict(forms_of(thief.visit("/account"))[0].fields)["csrf_token"]
    assert thief.browser.post(link, data={"csrf_token": token}).status_code == 404
    assert thief.browser.get(shop.path()).status_code == 404
    assert thief.browser.get(misspelt(link)).status_code == 404


def test_who_is_removed_takes_what_they_sent_and_what_was_sent_to_them_along(sqlite_post: Post) -> None:
    post = sqlite_post
    shop, friend = Shop.opened(post.world), Person.signed_in(post.world)
    rogue = Person.signed_in(post.world, stores=(shop.store.prefix,), role="owner")
    staff = Person.signed_in(post.world, stores=(shop.store.prefix,), role="staff")
    press(rogue, rogue.visit(shop.path("/staff")), "/staff", email=friend.email, role="owner")
    press(shop.owner, shop.owner.visit(shop.path("/staff")), "/staff", email=staff.email, role="owner")
    for one, link in ((rogue, link_in(post, friend.email)), (staff, link_in(post, staff.email))):
        press(shop.owner, shop.owner.visit(shop.path("/staff")), "/staff/remove", person=str(one.user_id))
        taker = friend if one is rogue else staff
        assert taker.visit(link).status_code == 404
        assert taker.browser.get(shop.path()).status_code == 404


def test_an_invitation_is_taken_back(sqlite_post: Post) -> None:
    post = sqlite_post
    shop, guest = Shop.opened(post.world), Person.signed_in(post.world)
    page = press(shop.owner, shop.owner.visit(shop.path("/staff")), "/staff", email=guest.email, role="staff")
    back = press(shop.owner, page, "/staff/invitations/revoke")
    assert "The invitation was taken back" in back.text
    assert guest.visit(link_in(post, guest.email)).status_code == 404


@pytest.mark.parametrize(
    ("email", "status", "says"),
    [
        ("no address", 400, "does not look like an e-mail address"),
        ("{owner}", 409, "works here already"),
    ],
    ids=["no address", "works there"],
)
def test_a_wrong_invitation_keeps_what_was_typed(shop: Shop, email: str, status: int, says: str) -> None:
    typed = email.format(owner=shop.owner.email)
    page = press(shop.owner, shop.owner.visit(shop.path("/staff")), "/staff", email=typed, role="owner")
    assert page.status_code == status
    assert says in page.text
    assert f'value="{typed}"' in page.text
    assert re.search(r'value="owner" checked', page.text)


def test_the_last_owner_cannot_leave_and_a_second_one_can(sqlite_world: World, shop: Shop) -> None:
    alone = shop.owner.visit(shop.path("/staff"))
    assert "The only owner cannot leave" in alone.text
    token = dict(forms_of(alone)[0].fields)["csrf_token"]
    fields = {"csrf_token": token, "person": str(shop.owner.user_id)}
    refused = shop.owner.browser.post(shop.path("/staff/remove"), data=fields)
    assert refused.status_code == 409
    assert "needs another owner first" in refused.text
    second = Person.signed_in(sqlite_world, stores=(shop.store.prefix,), role="owner")
    left = press(shop.owner, shop.owner.visit(shop.path("/staff")), "/remove", person=str(shop.owner.user_id))
    assert left.url.path == "/account"
    assert shop.owner.browser.get(shop.path()).status_code == 404
    assert second.visit(shop.path()).status_code == 200


def test_of_two_owners_who_remove_each_other_at_once_one_stays(world: World) -> None:
    shop = Shop.opened(world)
    second = Person.signed_in(world, stores=(shop.store.prefix,), role="owner")
    pairs = ((shop.owner, second), (second, shop.owner))
    token = {id(one): dict(forms_of(one.visit(shop.path("/staff")))[0].fields)["csrf_token"] for one, _ in pairs}

    async def both() -> list[int]:
        async def remove(by: Person, whom: Person) -> int:
            async with httpx.AsyncClient(base_url=world.url, cookies=by.browser.cookies, timeout=20) as browser:
                fields = {"csrf_token": token[id(by)], "person": str(whom.user_id)}
                return (await browser.post(shop.path("/staff/remove"), data=fields)).status_code

        return list(await asyncio.gather(*(remove(*pair) for pair in pairs)))

    statuses = asyncio.run(both())
    owners = [one for one in world.transact(lambda unit: list_staff(unit, shop.store.id)) if one.role == "owner"]
    assert len(owners) == 1, statuses


def test_the_account_leads_to_the_pages_that_are_the_persons(sqlite_world: World, shop: Shop) -> None:
    assert '<a href="/store">Your store</a>' in shop.owner.visit("/account").text
    customer = Person.signed_in(sqlite_world, stores=(shop.store.prefix,)).visit("/account").text
    for path in ("/store", "/developers", "/operator"):
        assert f'href="{path}"' not in customer
