"""A store's own host: what is the store's answers there, what is the issuer's does not."""

import pytest

from tests.actors import Service
from tests.support.world import World

ISSUERS = (
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/.well-known/oauth-protected-resource/orders"),
    ("GET", "/oauth/jwks"),
    ("GET", "/oauth/authorize"),
    ("POST", "/oauth/token"),
    ("GET", "/oauth/token"),
    ("POST", "/oauth/introspect"),
    ("GET", "/sign-in"),
    ("GET", "/account"),
    ("GET", "/"),
)


@pytest.mark.parametrize(("method", "path"), ISSUERS, ids=str)
def test_what_is_the_issuers_is_not_at_a_stores_host(sqlite_world: World, method: str, path: str) -> None:
    host = {"Host": f"{sqlite_world.add_store().prefix}.localhost"}
    there = sqlite_world.http.request(method, path, headers=host)
    nothing = sqlite_world.http.request(method, f"{path.rstrip('/')}/nothing-of-ours", headers=host)
    assert (there.status_code, there.content) == (404, nothing.content)
    assert there.json() == {"error": "not_found", "error_description": "There is nothing at this path."}


def test_a_person_there_gets_a_page_that_says_so(sqlite_world: World) -> None:
    host = f"{sqlite_world.add_store().prefix}.localhost"
    shown = sqlite_world.http.get("/account", headers={"Host": host, "Accept": "text/html"})
    assert (shown.status_code, shown.headers["content-type"].split(";")[0]) == (404, "text/html")


@pytest.mark.parametrize("path", ["/orders", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics"])
def test_what_is_the_stores_is(world: World, path: str) -> None:
    service = Service.hired(world)
    headers = {**service.bearer, "Host": f"{service.store}.localhost"}
    assert world.http.get(path, headers=headers).status_code == 200


def test_the_path_that_names_a_store_is_on_the_issuers_host_and_keeps_its_pages(sqlite_world: World) -> None:
    prefix = sqlite_world.add_store().prefix
    assert sqlite_world.http.get(f"/stores/{prefix}/sign-in").status_code == 200


def test_a_host_that_names_no_store_of_ours_says_the_same(sqlite_world: World) -> None:
    answer = sqlite_world.http.get("/oauth/jwks", headers={"Host": "nobody.localhost"})
    assert answer.status_code == 404
