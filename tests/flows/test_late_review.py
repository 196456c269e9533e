"""What a review found last: who works in a store reaches its orders, and a fresh sign-in cannot be talked away."""

from tests.actors import ORDER, Service, bearer
from tests.people import App, Person
from tests.support.world import World


def test_who_works_in_a_store_sees_and_moves_all_its_orders_and_a_customer_does_not(world: World) -> None:
    shop = Service.hired(world)
    assert shop.store is not None
    order_id = shop.place(ORDER).json()["order_id"]
    app = App.registered(world, scope="openid orders:read orders:write", store=shop.store)
    answers = {}
    for role in ("staff", "owner", "customer"):
        person = Person.signed_in(world, stores=(shop.store,), role=role)
        token = app.log_in(person, scope="openid orders:read orders:write")["access_token"]
        answers[role] = (
            world.http.get(f"/orders/{order_id}", headers=bearer(token)).status_code,
            len(world.http.get("/orders", headers=bearer(token)).json()),
        )
    assert answers == {"staff": (200, 1), "owner": (200, 1), "customer": (404, 0)}


def test_a_made_up_mark_does_not_stand_for_a_fresh_sign_in(world: World) -> None:
    app, person = App.registered(world), Person.signed_in(world)
    app.log_in(person)
    for mark in ("0", "fs_AAAA"):
        url = app.authorize_url(prompt="login", _fresh_since=mark)
        assert person.visit(url).url.path == "/sign-in"
        assert person.visit(url.replace("/oauth/authorize", "/consent")).url.path == "/sign-in"
