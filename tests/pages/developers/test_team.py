"""The team: invited by mail, joined once by the right person, never without an admin; and what the log tells of it."""

import asyncio
import re
from typing import Any

import pytest

from authsrv.storage.audit import add_audit_event
from authsrv.storage.client_members import list_members
from authsrv.storage.unit import Unit
from tests.pages.conftest import Post
from tests.people import Person
from tests.portal import URI, Developer, Made, join, row_of, token_in
from tests.support.world import World


@pytest.fixture
def developer(sqlite_world: World) -> Developer:
    return Developer.signed_in(sqlite_world)


def roles(world: World, app: Made) -> dict[str, str]:
    row = row_of(world, app.client_id)
    return {member.email: member.role for member in world.transact(lambda unit: list_members(unit, row.id))}


def test_an_invitation_is_taken_once_by_who_has_the_address(sqlite_post: Post) -> None:
    world = sqlite_post.world
    admin = Developer.signed_in(world)
    app = admin.create()
    guest: Any = Developer(world, sqlite_post.person().email)
    sent = admin.do(app, "/team", at="/team", email=guest.email.upper(), role="viewer")
    assert "The invitation was sent." in sent.text
    assert guest.email in sent.text
    mail = sqlite_post.mails(guest.email)[0]
    assert "invites you to Parcels" in mail["subject"]
    body = mail.get_body(("plain",))
    assert body is not None
    link = re.search(r"/developers/invitations/iv_\S+", body.get_content())
    assert link is not None

    other = Developer.signed_in(world)
    assert "for another address" in other.visit(link[0]).text
    assert guest.email not in other.visit(link[0]).text
    taken = other.browser.post(link[0], data={"csrf_token": token_in(other.visit("/developers"))})
    assert taken.status_code == 404

    sqlite_post.ask(guest, f"/sign-in?next={link[0]}")
    landed = guest.send(guest.visit(f"/sign-in/code?next={link[0]}"), code=sqlite_post.code(guest.email, 2))
    assert "Join Parcels" in landed.text
    joined = guest.submit(landed, link[0])
    assert "Welcome to the team." in joined.text
    assert roles(world, app)[guest.email] == "viewer"
    assert guest.browser.post(link[0], data={"csrf_token": token_in(joined)}).status_code == 404
    events = admin.visit(f"{app.path}/events").text
    assert "Somebody was invited" in events
    assert "Somebody joined the team" in events


def test_an_invitation_can_be_taken_back(sqlite_world: World) -> None:
    admin = Developer.signed_in(sqlite_world)
    app = admin.create()
    page = admin.do(app, "/team", at="/team", email="guest@example.com", role="admin")
    # There is no mail in this world, and the page says so.
    assert "could not be sent" in page.text
    assert "guest@example.com" in page.text
    back = admin.submit(page, f"{app.path}/team/revoke")
    assert "guest@example.com" not in back.text


@pytest.mark.parametrize("act", ["remove", "role"])
def test_who_is_no_admin_any_more_has_invited_nobody(sqlite_post: Post, act: str) -> None:
    world = sqlite_post.world
    admin, rogue, friend = (Developer.signed_in(world) for _ in range(3))
    app = admin.create()
    join(world, app, rogue, "admin")
    rogue.do(app, "/team", at="/team", email=friend.email, role="admin")
    body = sqlite_post.mails(friend.email)[0].get_body(("plain",))
    assert body is not None
    link = re.search(r"/developers/invitations/iv_\S+", body.get_content())
    assert link is not None
    admin.do(app, f"/team/{act}", at="/team", member=str(rogue.user_id), role="viewer")
    assert friend.visit(link[0]).status_code == 404


@pytest.mark.parametrize(
    ("email", "status", "reason"),
    [
        pytest.param("nobody", 400, "does not look like an e-mail address", id="no address"),
        pytest.param("own", 409, "in the team already", id="a member"),
    ],
)
def test_who_cannot_be_invited_is_told_at_the_field(sqlite_world: World, email: str, status: int, reason: str) -> None:
    admin = Developer.signed_in(sqlite_world)
    app = admin.create()
    page = admin.do(app, "/team", at="/team", email=admin.email if email == "own" else email)
    assert page.status_code == status
    assert reason in page.text


def test_one_address_is_not_flooded_with_invitations(sqlite_world: World) -> None:
    admin = Developer.signed_in(sqlite_world)
    app = admin.create()
    pages = [admin.do(app, "/team", at="/team", email="flood@example.com") for _ in range(6)]
    assert [page.status_code for page in pages] == [200, 200, 200, 200, 429, 429]
    assert 0 < int(pages[-1].headers["retry-after"]) <= 86_400


def test_the_last_admin_neither_leaves_nor_steps_down(world: World) -> None:
    developer = Developer.signed_in(world)
    app = developer.create()
    mine = str(developer.user_id)
    assert developer.do(app, "/team/leave", at="/team").status_code == 409
    assert developer.do(app, "/team/role", at="/team", member=mine, role="viewer").status_code == 409
    second = Developer.signed_in(world)
    join(world, app, second, "viewer")
    assert developer.do(app, "/team/leave", at="/team").status_code == 409
    developer.do(app, "/team/role", at="/team", member=str(second.user_id), role="admin")
    left = developer.do(app, "/team/leave", at="/team")
    assert left.url.path == "/developers"
    assert roles(world, app) == {second.email: "admin"}
    # Who is asked to allow the app reads who makes it now.
    asked = Person.signed_in(world, stores=(world.add_store().prefix,)).visit(_begin(app)).text
    assert second.email in asked
    assert developer.email not in asked


def test_two_admins_who_leave_at_once_do_not_both(world: World) -> None:
    developer = Developer.signed_in(world)
    for _ in range(3):
        app = developer.create()
        second = Developer.signed_in(world)
        join(world, app, second, "admin")
        tokens = [token_in(person.visit(f"{app.path}/team")) for person in (developer, second)]

        async def leave(people: list[Any], tokens: list[str], path: str) -> list[int]:
            def go(person: Person, token: str) -> int:
                return person.browser.post(path, data={"csrf_token": token}).status_code

            return await asyncio.gather(
                *(asyncio.to_thread(go, person, token) for person, token in zip(people, tokens, strict=True))
            )

        statuses = asyncio.run(leave([developer, second], tokens, f"{app.path}/team/leave"))
        assert sorted(statuses) == [303, 409]
        assert len(roles(world, app)) == 1


def test_a_viewer_looks_and_leaves(developer: Developer) -> None:
    app, world = developer.create(), developer.world
    viewer = Developer.signed_in(world)
    join(world, app, viewer, "viewer")
    listed = viewer.visit("/developers").text
    assert "Viewer" in listed
    settings = viewer.visit(f"{app.path}/settings").text
    assert "<textarea" not in settings
    assert "You are a viewer" in settings
    assert viewer.do(app, "/settings", at="/team", name="Mine now").status_code == 403
    assert viewer.do(app, "/team/leave", at="/team").url.path == "/developers"
    assert viewer.visit(app.path).status_code == 404


def test_the_log_names_the_team_and_nobody_who_uses_the_app(developer: Developer) -> None:
    app, world = developer.create(), developer.world
    customer = Person.signed_in(world, stores=(world.add_store().prefix,))
    code = customer.allow(_begin(app))["code"]
    redeemed = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    for _ in range(2):
        world.http.post("/oauth/token", data=redeemed, auth=(app.client_id, app.secret))
    text = developer.visit(f"{app.path}/events").text
    assert "The app was created" in text
    assert "An authorization code was used twice" in text
    assert developer.email in text
    assert customer.email not in text
    assert re.search(r'<time datetime="[^"]+" title="[^"]+">', text)


def test_the_log_has_pages(world: World) -> None:
    developer = Developer.signed_in(world)
    app = developer.create()

    def change_often(unit: Unit) -> None:
        for _ in range(55):
            add_audit_event(unit, "client.changed", actor="dev@example.com", subject=app.client_id, fields="name")

    developer.world.transact(change_often)
    first = developer.visit(f"{app.path}/events")
    assert first.text.count("The app was changed") == 50
    older = re.search(r'href="([^"]+before=[^"]+)"', first.text)
    assert older is not None
    second = developer.visit(older[1]).text
    assert second.count("The app was changed") == 5
    assert "The app was created" in second


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def _begin(app: Made) -> str:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    return (
        f"/oauth/authorize?response_type=code&client_id={app.client_id}&redirect_uri={URI}"
        f"&scope=openid&code_challenge={challenge}&code_challenge_method=S256"
    )
