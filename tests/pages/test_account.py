"""A person looks after their account."""

from urllib.parse import urlencode

from sqlmodel import select

from authsrv.storage.sessions import Session
from authsrv.storage.unit import Unit
from tests.pages.conftest import Post
from tests.people import Person, forms_of


def other_browser(post: Post, person: Person) -> Person:
    other = Person(post.world, person.email)
    asked = other.send(other.visit("/sign-in"), email=other.email)
    other.send(asked, code=post.code(person.email, 2))
    return other


def test_who_is_not_signed_in_signs_in_and_comes_back(post: Post) -> None:
    person = post.person()
    asked = person.visit("/account")
    assert asked.url.path == "/sign-in"
    arrived = person.send(person.send(asked, email=person.email), code=post.code(person.email))
    assert arrived.url.path == "/account"


def test_a_name_is_changed(post: Post) -> None:
    person = post.person()
    saved = person.send(post.sign_in(person), form=1, name="  Nell   <b>New</b> ")
    assert "Your name was saved." in saved.text
    assert 'value="Nell &lt;b&gt;New&lt;/b&gt;"' in saved.text
    too_long = person.send(saved, form=1, name="x" * 201)
    assert too_long.status_code == 400
    assert 'aria-invalid="true"' in too_long.text


def test_another_session_is_ended(post: Post) -> None:
    person = post.person()
    post.sign_in(person)
    other = other_browser(post, person)
    page = person.visit("/account")
    assert page.text.count("This browser") == 1
    ended = person.send(page, form=2)
    assert "The session was ended." in ended.text
    assert other.visit("/account").url.path == "/sign-in"
    assert person.visit("/account").url.path == "/account"


def test_all_other_sessions_are_ended(post: Post) -> None:
    person = post.person()
    post.sign_in(person)
    other = other_browser(post, person)
    page = person.visit("/account")
    ended = person.send(page, form=len(forms_of(page)) - 1)
    assert "All other sessions were ended." in ended.text
    assert other.visit("/account").url.path == "/sign-in"


def test_nobody_ends_the_session_of_another(post: Post) -> None:
    person, victim = post.person(), post.person()
    page = post.sign_in(person)
    post.sign_in(victim)

    def victims_session(unit: Unit) -> str:
        return str(unit.session.exec(select(Session).order_by(Session.id.desc())).first().id)  # type: ignore[attr-defined,union-attr]

    fields = dict(forms_of(page)[1].fields) | {"session": post.world.transact(victims_session)}
    answer = person.browser.post("/account/sessions", data=fields)
    assert answer.headers["location"] == "/account?" + urlencode({"done": "nothing"})
    assert victim.visit("/account").url.path == "/account"


def test_signing_out_ends_the_session_on_the_server(post: Post) -> None:
    person = post.person()
    post.sign_in(person)
    cookie = person.browser.cookies["authsrv_session"]
    out = person.send(person.visit("/sign-out"), confirm="yes")
    assert "You are signed out" in out.text
    assert "authsrv_session" not in person.browser.cookies
    person.browser.cookies.set("authsrv_session", cookie)
    assert person.visit("/account").url.path == "/sign-in"


def test_a_character_that_cannot_be_kept_is_refused(post: Post) -> None:
    person = Person.signed_in(post.world)
    page = person.visit("/account")
    form = next(at for at, form in enumerate(forms_of(page)) if form.action.endswith("/account/name"))
    assert person.send(page, form=form, name="Ca\0sey").status_code == 400
