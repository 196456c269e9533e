"""Approval at the portal: the bar of connected stores, the wish and its answer by mail, a change that waits."""

import pytest

from authsrv.oauth.approvals import decide_approval, list_requests
from authsrv.oauth.registration import approve_client, suspend_client
from authsrv.storage.unit import Unit
from authsrv.web.approval_mails import word_decision
from tests.people import Person
from tests.portal import URI, Developer, Made, fields_of, row_of
from tests.support.world import World

WISH = "We print labels for parcels. Write to help@parcels.example."


@pytest.fixture
def developer(sqlite_world: World) -> Developer:
    return Developer.signed_in(sqlite_world)


def ask(developer: Developer, app: Made, text: str = WISH) -> str:
    page = developer.submit(developer.visit(app.path), f"{app.path}/approval", text=text)
    return page.text


def decide(developer: Developer, app: Made, *, approve: bool, reason: str = "") -> str:
    """What the mail about it says."""
    world = developer.world

    def work(unit: Unit) -> str:
        request = next(one for one, client in list_requests(unit) if client.client_id == app.client_id)
        decision = decide_approval(unit, request.id, approve=approve, reason=reason, operator="op@example.com")
        assert decision.emails == (developer.email,)
        mail = word_decision(world.runtime.post, decision, developer.email)
        return f"{mail.subject}\n{mail.text}"

    return world.transact(work)


def approve(developer: Developer, app: Made) -> None:
    row = row_of(developer.world, app.client_id)
    developer.world.transact(lambda unit: approve_client(unit, row, actor="op@example.com"))


def settle(developer: Developer, app: Made, **typed: str) -> str:
    page = developer.visit(f"{app.path}/settings")
    return developer.submit(page, f"{app.path}/settings", **typed).text


def test_a_new_app_works_at_once_and_is_counted(developer: Developer) -> None:
    app = developer.create()
    assert "0 / 30" in developer.visit(app.path).text
    store = developer.world.add_store()
    customer = Person.signed_in(developer.world, stores=(store.prefix,))
    arrived = customer.visit(_request(app))
    assert "Not approved" in arrived.text
    customer.send(arrived, decision="allow")
    assert "1 / 30" in developer.visit(app.path).text


def test_the_wish_is_told_and_its_answer_comes_by_mail(developer: Developer) -> None:
    app = developer.create()
    assert "Approval was asked for." in ask(developer, app)
    waiting = developer.visit(app.path).text
    assert WISH in waiting
    assert developer.email in waiting
    mail = decide(developer, app, approve=False, reason="Who are you?")
    assert "Who are you?" in mail
    assert app.path in mail
    refused = developer.visit(app.path).text
    assert "Who are you?" in refused
    ask(developer, app)
    assert "is approved" in decide(developer, app, approve=True)
    approved = developer.visit(app.path).text
    assert "/ 30" not in approved
    assert "Approved" in approved


def test_the_wish_needs_some_words_and_can_be_taken_back(developer: Developer) -> None:
    app = developer.create()
    assert "Write 20 to 2000 characters" in ask(developer, app, "please")
    ask(developer, app)
    page = developer.visit(app.path)
    taken = developer.submit(page, f"{app.path}/approval/withdraw")
    assert "taken back" in taken.text
    assert "Ask for approval" in taken.text


def test_an_unapproved_app_changes_at_once_and_consent_is_asked_again(developer: Developer) -> None:
    app = developer.create()
    customer = Person.signed_in(developer.world, stores=(developer.world.add_store().prefix,))
    customer.allow(_request(app))
    # Remembered:
    assert customer.visit(_request(app)).is_redirect
    settle(developer, app, name="Parcels Two")
    assert row_of(developer.world, app.client_id).name == "Parcels Two"
    asked = customer.visit(_request(app))
    assert asked.status_code == 200
    assert "Parcels Two" in asked.text


def test_an_approved_apps_new_uri_waits_while_the_old_goes_on(developer: Developer) -> None:
    app = developer.create()
    approve(developer, app)
    new = "https://parcels.example/new"
    page = settle(developer, app, redirect_uris=f"{URI}\n{new}", client_uri="https://parcels.example")
    assert "wait for the operator" in page
    assert new in page
    row = row_of(developer.world, app.client_id)
    assert (row.redirect_uris, row.client_uri, row.consent_changed_at) == ([URI], "https://parcels.example", None)
    customer = Person.signed_in(developer.world, stores=(developer.world.add_store().prefix,))
    customer.allow(_request(app))
    assert customer.visit(_request(app, new)).status_code == 400
    assert "in force" in decide(developer, app, approve=True)
    assert row_of(developer.world, app.client_id).redirect_uris == [URI, new]
    assert customer.visit(_request(app, new)).status_code == 200


def test_a_waiting_change_is_taken_back_by_saving_what_is(developer: Developer) -> None:
    app = developer.create()
    approve(developer, app)
    settle(developer, app, name="Another")
    page = developer.visit(f"{app.path}/settings")
    assert "Waits for approval" in page.text
    # The form still has the name that is in force.
    assert dict(fields_of(page, f"{app.path}/settings"))["name"] == "Parcels"
    assert "Waits for approval" not in settle(developer, app)


def test_a_suspended_app_says_so_and_cannot_ask(developer: Developer) -> None:
    app = developer.create()
    row = row_of(developer.world, app.client_id)
    developer.world.transact(lambda unit: suspend_client(unit, row, actor="op@example.com"))
    page = developer.visit(app.path).text
    assert "The operator has suspended this app." in page
    assert "Ask for approval" not in page
    assert developer.do(app, "/approval", text=WISH).status_code == 409


def _request(app: Made, uri: str = URI) -> str:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    return (
        f"/oauth/authorize?response_type=code&client_id={app.client_id}&redirect_uri={uri}"
        f"&scope=openid&code_challenge={challenge}&code_challenge_method=S256"
    )
