"""Settings, logo and end of an app."""

from io import BytesIO

import httpx
import pytest
from PIL import Image, PngImagePlugin

from authsrv.storage.audit import list_audit_events
from authsrv.storage.clients import find_client
from tests.people import Person
from tests.portal import URI, Developer, Made, join, row_of
from tests.support.plain_http import NO_TLS
from tests.support.world import World


@pytest.fixture
def developer(sqlite_world: World) -> Developer:
    return Developer.signed_in(sqlite_world)


def picture(form: str, **options: object) -> bytes:
    made = BytesIO()
    Image.new("RGB", (640, 320), (10, 120, 90)).save(made, form, **options)
    return made.getvalue()


def huge_and_blank() -> bytes:
    """Sixteen million pixels in two kilobytes."""
    made = BytesIO()
    Image.new("1", (4000, 4000)).save(made, "PNG")
    return made.getvalue()


def with_secrets_in_it() -> bytes:
    """A JPEG that says where it was taken, and by whom."""
    tags = Image.Exif()
    tags[0x013B] = "Somebody Who Took It"
    return picture("JPEG", exif=tags.tobytes(), comment=b"a comment of mine")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_drawn_anew_and_served_for_good(developer: Developer, form: str) -> None:
    app = developer.create()
    # The name of the file says nothing.
    assert "The logo was saved." in developer.upload(app, picture(form), "x.svg").text
    url = row_of(developer.world, app.client_id).logo_uri
    assert url is not None
    served = httpx.get(url, verify=NO_TLS)
    assert served.headers["content-type"] == "image/png"
    assert "immutable" in served.headers["cache-control"]
    assert served.headers["x-content-type-options"] == "nosniff"
    drawn = Image.open(BytesIO(served.content))
    assert (drawn.format, drawn.size) == ("PNG", (256, 256))
    # People who are asked see it.
    customer = Person.signed_in(developer.world)
    assert f'src="{url}"' in customer.visit(_request(app)).text


def test_nothing_else_of_the_file_is_kept(developer: Developer) -> None:
    app = developer.create()
    developer.upload(app, with_secrets_in_it(), "me.jpg")
    first = row_of(developer.world, app.client_id).logo_uri
    assert first is not None
    kept = httpx.get(first, verify=NO_TLS).content
    assert b"Somebody" not in kept
    assert b"comment" not in kept
    assert PngImagePlugin.PngImageFile(BytesIO(kept)).info == {}
    # Another picture has another address, and the old one is gone.
    developer.upload(app, picture("PNG"), "logo.png")
    assert row_of(developer.world, app.client_id).logo_uri != first
    assert httpx.get(first, verify=NO_TLS).status_code == 404
    assert "removed" in developer.do(app, "/logo/remove").text
    assert row_of(developer.world, app.client_id).logo_uri is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "not a PNG, JPEG or WebP", id="nothing"),
        pytest.param(b"<svg onload='alert(1)'/>", "not a PNG, JPEG or WebP", id="SVG"),
        pytest.param(picture("GIF"), "not a PNG, JPEG or WebP", id="GIF"),
        pytest.param(picture("PNG")[:200], "not a PNG, JPEG or WebP", id="cut short"),
        pytest.param(huge_and_blank(), "larger than 2048", id="a bomb"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(530_000), "larger than 512 KB", id="too large"),
    ],
)
def test_what_is_no_small_picture_is_refused_at_its_field(developer: Developer, content: bytes, reason: str) -> None:
    app = developer.create()
    page = developer.upload(app, content, "logo.png")
    assert page.status_code == 400
    assert reason in page.text
    assert row_of(developer.world, app.client_id).logo_uri is None


def test_an_upload_without_our_token_or_beyond_all_bounds_is_refused(developer: Developer) -> None:
    app = developer.create()
    files = {"file": ("logo.png", picture("PNG"))}
    assert developer.browser.post(f"{app.path}/logo", files=files).status_code == 403
    huge = developer.browser.post(f"{app.path}/logo", files={"file": ("logo.png", bytes(700_000))})
    assert huge.status_code == 413
    # And elsewhere the server's own limit holds.
    assert developer.browser.post(f"{app.path}/settings", data={"name": "x" * 300_000}).status_code == 413


def test_what_is_saved_is_judged_as_at_the_beginning(developer: Developer) -> None:
    app = developer.create()
    page = developer.visit(f"{app.path}/settings")
    refused = developer.submit(page, f"{app.path}/settings", redirect_uris="http://evil.example", name="Kept")
    assert refused.status_code == 400
    assert "plain http" in refused.text
    assert 'value="Kept"' in refused.text
    saved = developer.submit(
        page, f"{app.path}/settings", scope=["openid", "email"], post_logout_redirect_uris="https://parcels.example/bye"
    )
    assert "Saved." in saved.text
    row = row_of(developer.world, app.client_id)
    assert (row.scope, row.post_logout_redirect_uris) == ("openid email", ["https://parcels.example/bye"])
    assert row.redirect_uris == [URI]


def test_only_who_works_in_the_store_lets_its_service_do_more(sqlite_world: World) -> None:
    store = sqlite_world.add_store()
    owner = Developer.signed_in(sqlite_world, stores=(store.prefix,), role="owner")
    app = owner.create(type="service", store=store.prefix, redirect_uris="", scope=["orders:read"])
    hired = Developer.signed_in(sqlite_world)
    join(sqlite_world, app, hired, "admin")

    def save(admin: Developer, *scopes: str, name: str = "Parcels") -> httpx.Response:
        path = f"{app.path}/settings"
        return admin.submit(admin.visit(path), path, scope=list(scopes), name=name)

    refused = save(hired, "orders:read", "orders:write")
    assert refused.status_code == 400
    assert "Only somebody who works in the store" in refused.text
    assert row_of(sqlite_world, app.client_id).scope == "orders:read"
    # All else is theirs to change.
    assert "Saved." in save(hired, "orders:read", name="Parcels and more").text
    assert "Saved." in save(owner, "orders:read", "orders:write").text
    assert "Saved." in save(hired, "orders:read").text
    assert row_of(sqlite_world, app.client_id).scope == "orders:read"


def test_deleting_asks_for_the_name_and_ends_everything(developer: Developer) -> None:
    world, app = developer.world, developer.create(scope=["openid", "offline_access"])
    customer = Person.signed_in(world, stores=(world.add_store().prefix,))
    answer = customer.allow(_request(app, "openid offline_access"))
    redeemed = {"grant_type": "authorization_code", "code": answer["code"], "code_verifier": VERIFIER}
    tokens = world.http.post("/oauth/token", data=redeemed, auth=(app.client_id, app.secret)).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert world.http.get("/oauth/userinfo", headers=bearer).status_code == 200

    wrong = developer.do(app, "/delete", name_again="parcel")
    assert wrong.status_code == 400
    assert "This is not the name of the app." in wrong.text
    gone = developer.do(app, "/delete", name_again="Parcels")
    assert gone.url.path == "/developers"
    assert "The app was deleted." in gone.text
    assert "No app yet" in gone.text

    assert developer.visit(app.path).status_code == 404
    assert world.http.get("/oauth/userinfo", headers=bearer).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert world.http.post("/oauth/token", data=refresh, auth=(app.client_id, app.secret)).status_code == 401
    assert customer.visit(_request(app)).status_code == 400
    assert "Parcels" not in customer.visit("/account").text
    assert world.transact(lambda unit: find_client(unit, app.client_id)) is None
    kept = world.transact(lambda unit: [event.event for event in list_audit_events(unit, subject=app.client_id)])
    assert {"client.created", "client.deleted"} <= set(kept)


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def _request(app: Made, scope: str = "openid") -> str:
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    return (
        f"/oauth/authorize?response_type=code&client_id={app.client_id}&redirect_uri={URI}"
        f"&scope={scope}&code_challenge={challenge}&code_challenge_method=S256"
    )
