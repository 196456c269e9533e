"""The operator decides, looks things up, stops what must be stopped, and reads what happened."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlmodel import select

from authsrv.oauth.approvals import request_approval
from authsrv.oauth.client_changes import change_client
from authsrv.storage.audit import AuditEvent, add_audit_event, list_audit_events
from authsrv.storage.clients import Client, find_client
from authsrv.storage.sessions import Session
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id
from tests.actors import Service
from tests.pages.conftest import Post
from tests.people import App, Person, forms_of
from tests.support.world import Registered, World


def operator(world: World) -> Person:
    person = Person.signed_in(world)

    def raise_them(unit: Unit) -> None:
        user = find_user_by_id(unit, person.user_id)
        assert user is not None
        user.is_operator = True
        unit.session.add(user)

    world.transact(raise_them)
    return person


def act(person: Person, path: str, *, reason: str) -> httpx.Response:
    """Opens the page of an act and sends its form."""
    page = person.visit(path)
    assert page.status_code == 200, page.text
    return person.send(page, form=len(forms_of(page)) - 1, reason=reason)


def row(unit: Unit, app: Registered) -> Client:
    client = find_client(unit, app.client_id)
    assert client is not None
    return client


def events(world: World, subject: str) -> list[AuditEvent]:
    return world.transact(lambda unit: list_audit_events(unit, subject=subject))


def asked_for(world: World, **values: Any) -> tuple[App, str]:
    """An app that asked for approval, and the request's id."""
    app = App.registered(world, **{"name": f"Parcel {uuid4().hex[:8]}", **values})

    def work(unit: Unit) -> str:
        asked = request_approval(
            unit, row(unit, app.credentials), text="We track <parcels>.", asked_by="dev@example.com"
        )
        return str(asked.id)

    return app, world.transact(work)


def test_a_request_is_approved_with_a_reason_and_the_developer_gets_a_mail(sqlite_post: Post) -> None:
    post = sqlite_post
    world, person = post.world, operator(post.world)
    developer = f"{uuid4().hex[:8]}@example.com"
    app, request_id = asked_for(world, developer=developer)
    queue = person.visit("/operator")
    assert f"/operator/requests/{request_id}" in queue.text
    page = person.visit(f"/operator/requests/{request_id}")
    assert "We track &lt;parcels&gt;." in page.text
    done = person.send(page, form=1, reason="A good app", decision="approve")
    assert "It was approved" in done.text
    assert request_id not in done.text
    assert world.transact(lambda unit: row(unit, app.credentials).approved_at) is not None
    assert "approved" in post.mails(developer)[-1]["subject"].lower()
    approved = next(event for event in events(world, app.credentials.client_id) if event.event == "approval.approved")
    assert (approved.actor, approved.details["reason"]) == (person.email, "A good app")
    # Sent a second time, it says so.
    again = person.browser.get(f"/operator/requests/{request_id}")
    assert again.headers["location"] == "/operator?done=decided_before"


def test_a_refusal_needs_a_reason_and_keeps_what_was_typed(sqlite_post: Post) -> None:
    post = sqlite_post
    world, person = post.world, operator(post.world)
    developer = f"{uuid4().hex[:8]}@example.com"
    app, request_id = asked_for(world, developer=developer)
    page = person.visit(f"/operator/requests/{request_id}")
    without = person.send(page, form=1, reason="  ", decision="refuse")
    assert without.status_code == 400
    assert 'aria-invalid="true"' in without.text
    long = person.send(without, form=1, reason="why " * 200, decision="refuse")
    assert long.status_code == 400
    assert "why why" in long.text
    done = person.send(long, form=1, reason="No <privacy> policy", decision="refuse")
    assert "It was refused" in done.text
    assert world.transact(lambda unit: row(unit, app.credentials).approved_at) is None
    assert "No <privacy> policy" in post.mails(developer)[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def put_on_another_face(world: World, app: App) -> None:
    wanted = {"name": "Your Bank", "redirect_uris": ["https://bank.example/back"]}
    scopes = world.runtime.server.scopes
    world.transact(
        lambda unit: change_client(
            unit, row(unit, app.credentials), wanted, actor="dev@example.com", scopes=scopes, is_operator=False
        )
    )


def test_what_became_another_app_while_the_operator_looked_is_not_approved_unseen(world: World) -> None:
    person, (app, request_id) = operator(world), asked_for(world)
    page = person.visit(f"/operator/requests/{request_id}")
    put_on_another_face(world, app)
    again = person.send(page, form=1, reason="A good app", decision="approve")
    assert again.status_code == 409
    assert "Your Bank" in again.text
    assert "A good app" in again.text
    assert world.transact(lambda unit: row(unit, app.credentials).approved_at) is None
    assert "It was approved" in person.send(again, form=1, reason="Indeed", decision="approve").text
    other = App.registered(world)
    page = person.visit(f"/operator/apps/{other.credentials.client_id}/approve")
    put_on_another_face(world, other)
    assert "Look again" in person.send(page, form=1, reason="A good app").text
    assert world.transact(lambda unit: row(unit, other.credentials).approved_at) is None


def test_suspending_an_app_ends_its_tokens_at_once_and_resuming_lets_it_ask_anew(sqlite_world: World) -> None:
    person, service = operator(sqlite_world), Service.hired(sqlite_world)
    assert sqlite_world.http.get("/orders?customer_id=1", headers=service.bearer).status_code == 200
    path = f"/operator/apps/{service.client_id}"
    done = act(person, f"{path}/suspend", reason="It floods a shop")
    assert "The app was suspended" in done.text
    assert "It floods a shop" in done.text
    assert sqlite_world.http.get("/orders?customer_id=1", headers=service.bearer).status_code == 401
    assert service.ask_for_token().status_code == 401
    assert person.browser.get(f"{path}/suspend").headers["location"].endswith("done=nothing")
    assert "The app was resumed" in act(person, f"{path}/resume", reason="They mended it").text
    assert service.ask_for_token().status_code == 200


def test_an_act_without_a_reason_is_not_done(sqlite_world: World) -> None:
    person, service = operator(sqlite_world), Service.hired(sqlite_world)
    refused = act(person, f"/operator/apps/{service.client_id}/suspend", reason=" ")
    assert refused.status_code == 400
    assert "Give a reason" in refused.text
    assert service.ask_for_token().status_code == 200


def test_a_suspended_person_is_out_everywhere_until_resumed(post: Post) -> None:
    world, person = post.world, operator(post.world)
    store = world.add_store()
    victim = Person.signed_in(world, stores=(store.prefix,))
    app = App.registered(world)
    tokens = app.log_in(victim)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert world.http.get("/oauth/userinfo", headers=bearer).status_code == 200
    done = act(person, f"/operator/people/{victim.user_id}/suspend", reason="A stolen account")
    assert "The person was suspended" in done.text
    assert world.http.get("/oauth/userinfo", headers=bearer).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert victim.visit("/account").url.path == "/sign-in"
    refused = Person(world, victim.email)
    arrived = refused.send(post.ask(refused), code=post.code(victim.email))
    assert arrived.status_code == 403
    assert "This account has been suspended" in arrived.text
    assert refused.visit("/account").url.path == "/sign-in"
    assert "may sign in again" in act(person, f"/operator/people/{victim.user_id}/resume", reason="Returned").text
    back = Person(world, victim.email)
    assert back.send(post.ask(back), code=post.code(victim.email, 2)).url.path == "/account"
    assert victim.visit("/account").url.path == "/sign-in"


def test_the_page_of_a_person_shows_what_they_ended_themselves(sqlite_world: World) -> None:
    world, boss, person = sqlite_world, operator(sqlite_world), Person.signed_in(sqlite_world)
    App.registered(world).log_in(person, scope="openid")

    def sign_in_elsewhere(unit: Unit) -> None:
        user = find_user_by_id(unit, person.user_id)
        assert user is not None
        for browser in ("this", "that"):
            world.runtime.sessions.begin(unit, user, ("otp",), browser, "192.0.2.7")

    def end(choose: Callable[[Sequence[int]], int], action: str) -> str:
        account = person.visit("/account")
        person.send(account, form=choose([at for at, form in enumerate(forms_of(account)) if form.action == action]))
        return boss.visit(f"/operator/people/{person.user_id}").text

    world.transact(sign_in_elsewhere)
    assert "app.disconnected" in end(min, "/account/apps")
    assert "session.ended" in end(min, "/account/sessions")
    assert "sessions.ended" in end(max, "/account/sessions")


def test_nobody_suspends_themselves(sqlite_world: World) -> None:
    person = operator(sqlite_world)
    page = person.visit(f"/operator/people/{person.user_id}")
    assert f"/operator/people/{person.user_id}/suspend" not in page.text
    assert person.browser.get(f"/operator/people/{person.user_id}/suspend").headers["location"].endswith("done=nothing")


def test_a_sign_in_of_yesterday_is_asked_again_before_an_act(sqlite_world: World) -> None:
    person, service = operator(sqlite_world), Service.hired(sqlite_world)
    path = f"/operator/apps/{service.client_id}/suspend"
    page = person.visit(path)

    def grow_old(unit: Unit) -> None:
        for session in unit.session.exec(select(Session).where(Session.user_id == person.user_id)):
            session.auth_time -= timedelta(days=1)

    sqlite_world.transact(grow_old)
    assert person.visit(f"/operator/apps/{service.client_id}").status_code == 200
    for answer in (person.visit(path), person.send(page, form=1, reason="Now")):
        assert answer.url.path == "/sign-in"
        assert answer.url.params["next"] == path
        assert 'name="email"' in answer.text
        assert person.email in answer.text
    assert service.ask_for_token().status_code == 200


def test_apps_people_and_stores_are_found_by_a_part_of_their_names(world: World) -> None:
    person, name = operator(world), f"Kiosk{uuid4().hex[:6]} 100%"
    app = App.registered(world, name=name)
    store = world.add_store()
    customer = Person.signed_in(world, stores=(store.prefix,), name="Nell <b>")
    found = person.visit(f"/operator/apps?q={name[2:11]}")
    assert name in found.text
    assert "Nothing found" in person.visit("/operator/apps?q=%25%25").text
    assert "Nell &lt;b&gt;" in person.visit(f"/operator/people?q={customer.email[:10]}").text
    assert store.prefix in person.visit(f"/operator/stores?q={store.prefix}").text
    assert app.credentials.client_id in person.visit(f"/operator/apps/{app.credentials.client_id}").text
    assert store.prefix in person.visit(f"/operator/people/{customer.user_id}").text
    assert person.visit(f"/operator/stores/{store.prefix}").status_code == 200


def test_lists_are_leafed_through_without_a_gap(world: World) -> None:
    person, mark = operator(world), uuid4().hex[:8]
    for number in range(60):
        world.add_client(name=f"{mark} {number:02}", developer="many@example.com")
    first = person.visit(f"/operator/apps?q={mark}")
    following = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = person.visit(following)
    seen = [number for number in range(60) if f"{mark} {number:02}" in first.text]
    later = [number for number in range(60) if f"{mark} {number:02}" in second.text]
    assert (len(seen), sorted(seen + later)) == (50, list(range(60)))
    assert 'rel="next"' not in second.text


@pytest.fixture
def told(world: World) -> str:
    """A subject of which 1,200 events tell, one of them with a formula."""
    subject = f"app_{uuid4().hex}"

    def work(unit: Unit) -> None:
        add_audit_event(unit, "test.first", actor="=HYPERLINK(1)", subject=subject, note='a "quoted", one')
        for _ in range(1199):
            add_audit_event(unit, "test.later", actor="cli", subject=subject)

    world.transact(work)
    return subject


def test_the_log_is_filtered_and_leafed_through(world: World, told: str) -> None:
    person = operator(world)
    page = person.visit(f"/operator/audit?subject={told}&event=test.*")
    assert page.text.count("test.later</a>") == 50
    assert "test.first" not in page.text
    following = page.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert person.visit(following).text.count("test.later</a>") == 50
    first = person.visit(f"/operator/audit?subject={told}&event=test.first")
    assert first.text.count("test.first</a>") == 1
    assert "Nothing found" in person.visit(f"/operator/audit?subject={told}&until=2020-01-01").text
    wrong = person.visit(f"/operator/audit?subject={told}&since=yesterday")
    assert wrong.status_code == 400
    assert 'value="yesterday"' in wrong.text


def test_the_log_is_taken_away_whole_and_holds_no_formula(world: World, told: str) -> None:
    person = operator(world)
    answer = person.browser.get(f"/operator/audit.csv?subject={told}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment;")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 1200
    assert len({one["id"] for one in rows}) == 1200
    assert rows[-1]["actor"] == "'=HYPERLINK(1)"
    assert 'a \\"quoted\\", one' in rows[-1]["details"]
    exported = events(world, "audit")[0]
    assert (exported.event, exported.actor) == ("audit.exported", person.email)
    assert told in exported.details["filters"]
