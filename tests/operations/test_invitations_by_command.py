"""Commands that send mail: invitations that people take at the portal, and what became of a request for approval."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select

from authsrv.storage.invitations import Invitation, add_invitation
from authsrv.storage.unit import Unit
from tests.actors import Operator
from tests.people import Person, forms_of
from tests.support.smtp import SmtpSink
from tests.support.world import SECRET_KEY, World

LINK = re.compile(r"https?://\S+")
FIRST = ("guest0@example.com", "guest1@example.com")


@pytest.fixture(scope="module")
def house(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Operator, SmtpSink]]:
    """A server, somebody at its shell, and the mailbox of everybody."""
    url = new_database("sqlite")
    with SmtpSink() as sink:
        world = World(url, mail_url=sink.url, mail_from="login@shops.example")
        settings = {
            "AUTHSRV_DATABASE_URL": url,
            "AUTHSRV_SECRET_KEYS": SECRET_KEY,
            "AUTHSRV_ISSUER": world.url,
            "AUTHSRV_MAIL_URL": sink.url,
            "AUTHSRV_MAIL_FROM": "login@shops.example",
        }
        yield world, Operator(tmp_path_factory.mktemp("shell"), settings), sink
        world.close()


def make_app(operator: Operator, developer: str) -> str:
    made = operator.ask(
        "apps", "create", "Parcels", "--developer", developer, "--type", "web", "--redirect-uri", "https://a.example"
    )
    return str(made["client_id"])


def read_mail(sink: SmtpSink, to: str) -> str:
    """The text of the one mail to this address."""
    (mail,) = [mail for mail in sink.messages if mail["To"] == to]
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(sink: SmtpSink, to: str) -> str:
    found = LINK.search(read_mail(sink, to))
    assert found
    return found.group()


def take(person: Person, link: str) -> None:
    page = person.visit(link)
    (form,) = [number for number, form in enumerate(forms_of(page)) if "invitations" in form.action]
    assert person.send(page, form=form).status_code == 200


def test_somebody_is_invited_into_a_team_and_joins_at_the_portal(house: tuple[World, Operator, SmtpSink]) -> None:
    world, operator, sink = house
    app = make_app(operator, "first@example.com")
    guest = Person.signed_in(world)
    told = operator.ask("apps", "team", "invite", app, guest.email, "--role", "admin")
    assert told == {"email": guest.email, "role": "admin", "invited_by": "first@example.com", "mailed": True}
    assert "first@example.com" in read_mail(sink, guest.email)
    take(guest, link_in(sink, guest.email))
    assert {member["email"]: member["role"] for member in operator.ask("apps", "team", "list", app)} == {
        "first@example.com": "admin",
        guest.email: "admin",
    }
    again = operator.run("apps", "team", "invite", app, guest.email)
    assert (again.exit_code, again.stderr.strip()) == (1, "This person is in the team already.")
    stranger = operator.run("apps", "team", "invite", app, "new@example.com", "--by", "nobody@example.com")
    assert (stranger.exit_code, stranger.stderr.strip()) == (1, f"nobody@example.com is no admin of {app}.")


def test_somebody_is_invited_to_work_in_a_store(house: tuple[World, Operator, SmtpSink]) -> None:
    world, operator, sink = house
    store = world.add_store().prefix
    nobody = operator.run("staff", "invite", "clerk@example.com", "--store", store)
    assert (nobody.exit_code, nobody.stderr.strip()) == (1, f"There is no owner of {store}.")
    owner, clerk = Person.signed_in(world, stores=(store,), role="owner"), Person.signed_in(world)
    told = operator.ask("staff", "invite", clerk.email, "--store", store)
    assert told == {"email": clerk.email, "role": "staff", "invited_by": owner.email, "mailed": True}
    take(clerk, link_in(sink, clerk.email))
    assert {one["email"]: one["role"] for one in operator.ask("staff", "list", "--store", store)} == {
        owner.email: "owner",
        clerk.email: "staff",
    }


def test_an_invitation_into_a_team_is_seen_and_taken_back(house: tuple[World, Operator, SmtpSink]) -> None:
    world, operator, sink = house
    app, guest = make_app(operator, "regrets@example.com"), Person.signed_in(world)
    operator.ask("apps", "team", "invite", app, guest.email, "--role", "viewer")
    (waiting,) = operator.ask("apps", "team", "invitations", app)
    assert (waiting["email"], waiting["role"], waiting["invited_by"]) == (guest.email, "viewer", "regrets@example.com")
    assert waiting["created_at"] < waiting["expires_at"]
    told = operator.ask("apps", "team", "take-back", app, guest.email.upper())
    assert told == {"email": guest.email, "client_id": app, "taken_back": True}
    assert guest.visit(link_in(sink, guest.email)).status_code == 404
    assert operator.ask("apps", "team", "invitations", app) == []
    assert operator.run("apps", "team", "invitations", app).stdout == "No invitation is open.\n"
    (event,) = operator.ask("audit", "--subject", app, "--event", "member.invitation_revoked")
    assert event["actor"] == "cli"
    again = operator.run("apps", "team", "take-back", app, guest.email)
    assert (again.exit_code, again.stderr) == (1, f"{guest.email} has no open invitation to {app}.\n")


def test_an_invitation_to_work_in_a_store_is_seen_and_taken_back(house: tuple[World, Operator, SmtpSink]) -> None:
    world, operator, sink = house
    store, other = world.add_store().prefix, world.add_store().prefix
    owner, clerk = Person.signed_in(world, stores=(store,), role="owner"), Person.signed_in(world)
    operator.ask("staff", "invite", clerk.email, "--store", store)
    (waiting,) = operator.ask("staff", "invitations", "--store", store)
    assert (waiting["email"], waiting["role"], waiting["invited_by"]) == (clerk.email, "staff", owner.email)
    assert operator.ask("staff", "invitations", "--store", other) == []
    elsewhere = operator.run("staff", "take-back", clerk.email, "--store", other)
    assert (elsewhere.exit_code, elsewhere.stderr) == (1, f"{clerk.email} has no open invitation to {other}.\n")
    told = operator.ask("staff", "take-back", clerk.email, "--store", store)
    assert told == {"email": clerk.email, "store": store, "taken_back": True}
    assert clerk.visit(link_in(sink, clerk.email)).status_code == 404
    assert [event["actor"] for event in operator.ask("audit", "--event", "staff.invitation_revoked")] == ["cli"]
    assert operator.run("staff", "take-back", clerk.email, "--store", store).exit_code == 1
    assert operator.run("staff", "invitations", "--store", "none").exit_code == 1


def test_a_person_sends_so_many_invitations_in_a_day_whatever_they_are_for(
    house: tuple[World, Operator, SmtpSink],
) -> None:
    world, operator, _ = house
    apps = [make_app(operator, "busy@example.com") for _ in range(2)]

    def invite(number: int) -> int:
        return operator.run("apps", "team", "invite", apps[number % 2], f"guest{number}@example.com").exit_code

    def repeat(unit: Unit) -> None:
        first = unit.session.exec(select(Invitation).where(col(Invitation.email).in_(FIRST))).all()
        for number in range(2, 58):
            values = first[number % 2].model_dump() | {"id": unit.new_id(), "email": f"guest{number}@example.com"}
            add_invitation(unit, Invitation(**values))

    assert [invite(number) for number in range(2)] == [0] * 2
    world.transact(repeat)
    assert [invite(number) for number in range(58, 62)] == [0] * 2 + [1] * 2


def test_who_asked_for_approval_hears_of_the_answer(house: tuple[World, Operator, SmtpSink]) -> None:
    _, operator, sink = house
    app = make_app(operator, "asks@example.com")
    operator.ask("apps", "ask-approval", app, "--text", "It prints labels.")
    waiting = next(one for one in operator.ask("apps", "requests") if one["client_id"] == app)
    told = operator.ask("apps", "accept", waiting["id"], "--reason", "Well made.")
    assert (told["approved"], told["mailed"]) == (True, 1)
    assert "Well made." in read_mail(sink, "asks@example.com")


def test_a_mail_that_cannot_leave_is_said_and_undoes_nothing(house: tuple[World, Operator, SmtpSink]) -> None:
    _, operator, _ = house
    app = make_app(operator, "mute@example.com")
    mute = Operator(operator.folder, {**operator.settings, "AUTHSRV_MAIL_URL": ""})
    told = mute.run("apps", "team", "invite", app, "later@example.com")
    assert told.exit_code == 0
    assert "The mail could not be sent" in told.stdout


def test_a_mails_link_must_lead_somewhere(house: tuple[World, Operator, SmtpSink], tmp_path: Path) -> None:
    _, operator, _ = house
    app = make_app(operator, "lost@example.com")
    lost = Operator(tmp_path, {**operator.settings, "AUTHSRV_ISSUER": ""})
    refused = lost.run("apps", "team", "invite", app, "later@example.com")
    assert refused.exit_code == 1
    assert "issuer" in refused.stderr
