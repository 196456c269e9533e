"""Creating an app: what each kind gets, what is refused beside which field, and samples that run as pasted."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.people import Person, answer_in
from tests.portal import URI, Developer, Made, fields_of, row_of
from tests.support.world import World


@pytest.fixture
def developer(sqlite_world: World) -> Developer:
    return Developer.signed_in(sqlite_world)


@pytest.mark.parametrize(
    ("kind", "grants", "method"),
    [
        pytest.param("web", ["authorization_code", "refresh_token"], None, id="web"),
        pytest.param("spa", ["authorization_code", "refresh_token"], "none", id="single-page"),
        pytest.param("native", ["authorization_code", "refresh_token"], "none", id="native"),
    ],
)
def test_its_kind_decides_grants_and_authentication(
    developer: Developer, kind: str, grants: list[str], method: str | None
) -> None:
    app = developer.create(type=kind, name="  Parcel   Pilot ", client_uri="https://parcels.example")
    row = row_of(developer.world, app.client_id)
    assert (row.name, row.grant_types, row.token_endpoint_auth_method) == ("Parcel Pilot", grants, method)
    assert (row.redirect_uris, row.scope, row.client_uri) == ([URI], "openid orders:read", "https://parcels.example")
    assert bool(app.secret) is (method is None)
    assert row.approved_at is None
    listed = developer.visit("/developers").text
    assert "Parcel Pilot" in listed
    assert "Not approved" in listed


def test_a_service_works_where_its_developer_does(developer: Developer) -> None:
    world = developer.world
    mine, theirs = world.add_store(), world.add_store()
    owner = Developer.signed_in(world, stores=(mine.prefix,), role="staff")
    app = owner.create(type="service", store=mine.prefix, redirect_uris="")
    assert row_of(world, app.client_id).store_id == mine.id
    answer = world.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=(app.client_id, app.secret)
    )
    assert answer.json()["scope"] == "orders:read"
    page = owner.visit("/developers/new")
    wanted = {"name": "x", "type": "service", "scope": "orders:read"}
    for somebody, prefix in ((owner, theirs.prefix), (owner, ""), (developer, mine.prefix)):
        page = somebody.visit("/developers/new")
        refused = somebody.submit(page, "/developers/new", **wanted, store=prefix)
        assert refused.status_code == 400
        assert "Choose a store where you are owner or staff." in refused.text


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        pytest.param({"name": " "}, "A name has 1 to 200 characters.", id="no name"),
        pytest.param({"name": "x" * 201}, "A name has 1 to 200 characters.", id="a long name"),
        pytest.param({"redirect_uris": ""}, "At least one is needed", id="no way back"),
        pytest.param({"redirect_uris": "http://a.example"}, "plain http is for this very machine", id="plain http"),
        pytest.param({"redirect_uris": f"{URI}\nhttps://b.example/*"}, "Line 2:", id="the second line"),
        pytest.param({"redirect_uris": "com.example:/x"}, "it must be https", id="a scheme, for a web app"),
        pytest.param({"redirect_uris": "https://a.example/" + "x" * 2000}, "longer than 2000", id="a long one"),
        pytest.param({"redirect_uris": "https://a.example#x"}, "no fragment", id="a fragment"),
        pytest.param({"scope": "orders:everything"}, "Tick at least one", id="an unknown scope"),
        pytest.param({"type": "toaster"}, "Choose what kind of app it is.", id="an unknown kind"),
        pytest.param({"client_uri": "parcels.example"}, "beginning with https://", id="a bare host"),
    ],
)
def test_a_refusal_stands_at_its_field_and_what_was_typed_is_kept(
    developer: Developer, typed: dict[str, str], reason: str
) -> None:
    wanted = {
        "name": "Kept",
        "type": "web",
        "redirect_uris": URI,
        "scope": ["openid"],
        "tos_uri": "https://a.example/t",
    }
    page = developer.submit(developer.visit("/developers/new"), "/developers/new", **{**wanted, **typed})
    assert page.status_code == 400
    assert reason in page.text
    kept = dict(fields_of(page, "/developers/new"))
    assert kept["tos_uri"] == "https://a.example/t"
    if "redirect_uris" not in typed:
        assert kept["redirect_uris"] == URI


def test_while_typing_the_server_says_the_same_as_at_the_end(developer: Developer) -> None:
    asked = {"type": "web", "uri": [URI, "http://a.example", "nonsense"]}
    verdicts = developer.browser.get("/developers/check", params=asked).json()
    assert [bool(verdict["fault"]) for verdict in verdicts] == [False, True, True]
    assert "plain http" in verdicts[1]["fault"]


def test_a_form_sent_twice_makes_one_app(developer: Developer) -> None:
    page = developer.visit("/developers/new")
    wanted = {"name": "Twice", "type": "web", "redirect_uris": URI, "scope": ["openid"]}
    assert developer.submit(page, "/developers/new", **wanted).status_code == 200
    again = developer.submit(page, "/developers/new", **wanted)
    assert again.status_code == 409
    assert developer.visit("/developers").text.count("Twice") == 1


def test_the_secret_is_shown_once(developer: Developer) -> None:
    app = developer.create()
    assert app.secret.startswith("cs_")
    assert app.secret not in developer.visit(f"{app.path}/credentials").text
    assert app.page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", ["web", "spa"])
def test_the_curl_sample_works_as_pasted(developer: Developer, kind: str, tmp_path: Path) -> None:
    app = developer.create(type=kind, redirect_uris="https://parcels.example/b'ack?a=$HOME&b=1")
    samples = _samples(app)
    code = _code(developer, samples["authorize"])
    ended = _run(["bash", "-c", samples["curl"]], f"{code}\n", tmp_path)
    assert '"access_token":"' in ended
    assert '"id_token":"' in ended


@pytest.mark.parametrize("kind", ["web", "native"])
def test_the_python_sample_works_as_pasted(developer: Developer, kind: str, tmp_path: Path) -> None:
    app = developer.create(type=kind)
    (tmp_path / "sign_in.py").write_text(_samples(app)["python"])
    with subprocess.Popen(
        [sys.executable, "sign_in.py"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as script:
        assert script.stdin
        assert script.stdout
        url = script.stdout.readline().rpartition(" ")[2].strip()
        arrived = _arrived(Person.signed_in(developer.world), url)
        printed, _ = script.communicate(f"{arrived}\n", timeout=30)
    assert script.returncode == 0
    assert "'access_token': " in printed
    assert "'sub': " in printed


def test_the_samples_of_a_service_work_as_pasted(sqlite_world: World, tmp_path: Path) -> None:
    store = sqlite_world.add_store()
    owner = Developer.signed_in(sqlite_world, stores=(store.prefix,), role="owner")
    app = owner.create(type="service", store=store.prefix)
    samples = _samples(app)
    assert _run(["bash", "-c", samples["curl"]], "", tmp_path).endswith("[]")
    assert _run([sys.executable, "-c", samples["python"]], "", tmp_path).endswith("[]\n")


def _samples(app: Made) -> dict[str, str]:
    """What the page offers to copy."""
    copied = [html.unescape(text) for text in re.findall(r'data-copy="([^"]*)"', app.page.text)]
    found = {"authorize": next((text for text in copied if "/oauth/authorize?" in text and "\n" not in text), "")}
    for name, mark in (("curl", "curl -s"), ("python", "OAuth2Session"), ("javascript", "openid-client")):
        found[name] = next(text for text in copied if mark in text)
    return found


def _code(developer: Developer, url: str) -> str:
    return parse_qs(urlsplit(_arrived(Person.signed_in(developer.world), url)).query)["code"][0]


def _arrived(person: Person, url: str) -> str:
    """The address that a person ends up at who opens the link and allows it."""
    page = person.visit(url)
    answer: httpx.Response = person.send(page, decision="allow")
    assert answer_in(answer)["code"]
    return str(answer.headers["location"])


def _run(command: list[str], typed: str, folder: Path) -> str:
    ended = subprocess.run(command, input=typed, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
