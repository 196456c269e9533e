"""People at the shell while the server runs: where they are signed in, and what is taken from them, at once."""

from collections.abc import Callable, Iterator

import pytest

from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user
from tests.actors import Operator
from tests.conftest import ENGINES
from tests.people import App, Person
from tests.support.receiver import Receiver
from tests.support.traffic import wait_until
from tests.support.world import SECRET_KEY, World


@pytest.fixture(params=ENGINES)
def house(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[World, Operator]]:
    """A server that may call this machine, and somebody at its shell; on each engine in turn."""
    url = new_database(request.param)
    world = World(url, webhook_allow_loopback=True)
    settings = {"AUTHSRV_DATABASE_URL": url, "AUTHSRV_SECRET_KEYS": SECRET_KEY, "AUTHSRV_ISSUER": world.url}
    yield world, Operator(tmp_path_factory.mktemp("shell"), settings)
    world.close()


def is_signed_in(person: Person) -> bool:
    return "/sign-in" not in str(person.visit("/account").url)


def sign_in_elsewhere(world: World, person: Person, user_agent: str) -> None:
    """The person, at another browser."""

    def work(unit: Unit) -> None:
        user = find_user(unit, person.email)
        assert user is not None
        world.runtime.sessions.begin(unit, user, ("otp",), user_agent, "192.0.2.7")

    world.transact(work)


def test_a_persons_sessions_are_listed_and_one_is_ended(house: tuple[World, Operator]) -> None:
    world, operator = house
    person = Person.signed_in(world)
    sign_in_elsewhere(world, person, "Brows[/er] \x1b[2J")
    rows = operator.ask("users", "sessions", person.email)
    assert [list(row) for row in rows] == [["id", "created_at", "seen_at", "address", "user_agent"]] * 2
    other = next(row for row in rows if row["address"] == "192.0.2.7")
    assert other["user_agent"] == "Brows[/er] \x1b[2J"
    # What a browser calls itself is neither markup nor a command to the terminal.
    assert "Brows[/er] \ufffd[2J" in operator.run("users", "sessions", person.email).stdout
    told = operator.ask("users", "sign-out", person.email, "--session", other["id"])
    assert told == {"email": person.email, "ended": 1}
    (left,) = operator.ask("users", "sessions", person.email)
    assert left["user_agent"] == "a browser"
    assert is_signed_in(person)
    (event,) = operator.ask("audit", "--event", "session.ended")
    assert (event["actor"], event["details"]) == ("cli", {"session": other["id"]})


def test_a_person_is_signed_out_everywhere_and_apps_hear_of_it(house: tuple[World, Operator]) -> None:
    world, operator = house
    person, neighbour = Person.signed_in(world), Person.signed_in(world)
    with Receiver() as receiver:
        App.registered(world, backchannel_logout_uri=f"{receiver.url}/gone").log_in(person, scope="openid")
        sign_in_elsewhere(world, person, "")
        assert operator.ask("users", "sign-out", person.email.upper()) == {"email": person.email, "ended": 2}
        assert not is_signed_in(person)
        wait_until(lambda: bool(receiver.requests), 5, "the app hears of the logout")
        assert receiver.requests[0].path == "/gone"
    assert is_signed_in(neighbour)
    assert operator.ask("users", "sessions", person.email) == []
    assert operator.run("users", "sessions", person.email).stdout == "Signed in nowhere.\n"
    assert operator.ask("users", "sign-out", person.email)["ended"] == 0


def test_nobody_is_signed_out_of_a_session_that_is_not_theirs(house: tuple[World, Operator]) -> None:
    world, operator = house
    person, neighbour = Person.signed_in(world), Person.signed_in(world)
    (theirs,) = operator.ask("users", "sessions", neighbour.email)
    for session in (theirs["id"], "nothing"):
        refused = operator.run("users", "sign-out", person.email, "--session", session)
        assert (refused.exit_code, refused.stderr) == (1, f"{person.email} has no session {session}.\n")
    assert is_signed_in(person)
    assert is_signed_in(neighbour)


def test_what_a_person_allowed_is_found_however_the_address_is_spelled(house: tuple[World, Operator]) -> None:
    world, operator = house
    person = Person.signed_in(world)
    App.registered(world).log_in(person, scope="openid")
    (grant,) = operator.ask("grants", "list", "--user", f" {person.email.upper()} ")
    assert grant["user"] == person.email
    refused = operator.run("grants", "list", "--user", "nobody")
    assert refused.exit_code == 1
    assert "@" in refused.stderr


def test_the_last_owner_stays_one_whatever_role_is_named(house: tuple[World, Operator]) -> None:
    world, operator = house
    store = world.add_store().prefix
    owner = Person.signed_in(world, stores=(store,), role="owner")
    assert operator.ask("users", "create", owner.email, "--store", store, "--role", "customer")["role"] == "owner"
    assert owner.visit(f"/store/{store}/staff").status_code == 200


def test_who_is_no_operator_any_more_finds_the_operators_pages_closed(house: tuple[World, Operator]) -> None:
    world, operator = house
    person = Person.signed_in(world)
    operator.ask("users", "create", person.email, "--operator")
    assert person.visit("/operator").status_code == 200
    operator.ask("users", "demote", person.email, "--operator")
    assert person.visit("/operator").status_code == 404


def test_the_page_of_a_person_shows_what_was_done_at_the_shell(house: tuple[World, Operator]) -> None:
    world, operator = house
    boss, person = Person.signed_in(world), Person.signed_in(world)
    operator.ask("users", "create", boss.email, "--operator")
    page = f"/operator/people/{person.user_id}"
    assert "sessions.ended" not in boss.visit(page).text
    operator.ask("users", "sign-out", person.email)
    assert "sessions.ended" in boss.visit(page).text


@pytest.mark.parametrize("command", ["sessions", "sign-out"])
def test_the_sessions_of_nobody_are_refused(house: tuple[World, Operator], command: str) -> None:
    _, operator = house
    refused = operator.run("users", command, "nobody@example.com")
    assert (refused.exit_code, refused.stderr) == (1, "There is no person nobody@example.com.\n")
