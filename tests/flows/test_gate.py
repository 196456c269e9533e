"""What every request passes and every answer carries: headers, sizes, HTTPS, proxies, origins, and the right voice."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import httpx
import pytest

from authsrv.web.addresses import Caller, caller_of, host_of
from tests.actors import FORM, Service
from tests.support.world import World

ORIGIN = {"Origin": "https://shop.example"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
OPEN_TO_SCRIPTS = (
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/jwks",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/orders",
    "/orders",
    "/orders/0192f0c1-2345-7abc-8def-0123456789ab",
)
CLOSED_TO_SCRIPTS = ("/oauth/introspect", "/healthz", "/readyz", "/metrics", "/nowhere", "/")


@pytest.mark.parametrize("path", ["/healthz", "/oauth/jwks", "/oauth/token", "/orders", "/nowhere"])
def test_every_answer_carries_the_headers_that_keep_browsers_careful(sqlite_world: World, path: str) -> None:
    headers = sqlite_world.http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert len(headers["x-request-id"]) == 32
    # Plain HTTP on loopback: a browser must not be told to insist on HTTPS.
    assert "strict-transport-security" not in headers


def test_every_request_has_an_id_of_its_own_and_a_callers_counts_for_nothing(sqlite_world: World) -> None:
    sent = {"X-Request-Id": "chosen-by-the-caller"}
    ids = {sqlite_world.http.get("/healthz", headers=sent).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert "chosen-by-the-caller" not in ids


@pytest.mark.parametrize("path", OPEN_TO_SCRIPTS)
def test_scripts_of_any_origin_may_call_what_browsers_need(sqlite_world: World, path: str) -> None:
    for answer in (sqlite_world.http.get(path, headers=ORIGIN), sqlite_world.http.options(path, headers=PREFLIGHT)):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    preflight = sqlite_world.http.options(path, headers=PREFLIGHT)
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()


def test_a_script_may_send_whatever_headers_it_asks_to_send(sqlite_world: World) -> None:
    asked = {**PREFLIGHT, "Access-Control-Request-Headers": "authorization,x-requested-with, sentry-trace"}
    answer = sqlite_world.http.options("/oauth/token", headers=asked)
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "x-requested-with", "sentry-trace"} <= allowed
    assert "access-control-request-headers" in answer.headers["vary"].lower()


@pytest.mark.parametrize("asked", ["x y", "x;y", "x\ty, <b>", ",", "x" * 5000])
def test_what_is_no_list_of_headers_is_not_repeated(sqlite_world: World, asked: str) -> None:
    answer = sqlite_world.http.options("/oauth/token", headers={**PREFLIGHT, "Access-Control-Request-Headers": asked})
    known = sqlite_world.http.options("/oauth/token", headers={**ORIGIN, "Access-Control-Request-Method": "POST"})
    assert answer.headers["access-control-allow-headers"] == known.headers["access-control-allow-headers"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n", b"400"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"200"),
    ],
    ids=["none", "two", "one", "none-in-1.0"],
)
def test_a_request_names_one_host(sqlite_world: World, head: bytes, status: bytes) -> None:
    port = httpx.URL(sqlite_world.url).port or 0
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(head)
        assert connection.recv(64).startswith(b"HTTP/1.1 " + status)


def test_a_script_may_read_the_headers_it_needs(sqlite_world: World) -> None:
    shown = sqlite_world.http.get("/orders", headers=ORIGIN).headers["access-control-expose-headers"].lower()
    assert {"www-authenticate", "link", "x-total-count", "retry-after"} <= {name.strip() for name in shown.split(",")}


@pytest.mark.parametrize("path", CLOSED_TO_SCRIPTS)
def test_nothing_else_is_open_to_scripts(sqlite_world: World, path: str) -> None:
    for answer in (sqlite_world.http.get(path, headers=ORIGIN), sqlite_world.http.options(path, headers=PREFLIGHT)):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_without_an_origin_no_answer_speaks_of_origins(sqlite_world: World) -> None:
    assert not [name for name in sqlite_world.http.get("/oauth/jwks").headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", [path for path in OPEN_TO_SCRIPTS if "well-known" in path or "jwks" in path])
def test_what_caches_keep_for_others_is_not_given_to_scripts(sqlite_world: World, path: str) -> None:
    answer = sqlite_world.http.get(path)
    assert "max-age" in answer.headers["cache-control"]
    assert "origin" in answer.headers["vary"].lower()


def test_a_failed_token_request_can_be_read_by_the_script_that_made_it(sqlite_world: World) -> None:
    answer = sqlite_world.http.post("/oauth/token", data={"grant_type": "magic"}, headers=ORIGIN)
    assert answer.status_code >= 400
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/nowhere", "GET", 404, "not_found"),
        ("/oauth", "GET", 404, "not_found"),
        ("/oauth/token/", "POST", 404, "not_found"),
        ("/ordersx", "GET", 404, "not_found"),
        ("/oauth/jwks", "POST", 405, "method_not_allowed"),
    ],
)
def test_the_protocol_says_what_is_not_there_in_its_own_words(
    sqlite_world: World, path: str, method: str, status: int, code: str
) -> None:
    answer = sqlite_world.http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"] == code
    assert answer.json()["error_description"]


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/orders/1/2", "GET", 404, "not_found"),
        ("/orders", "PATCH", 405, "method_not_allowed"),
        ("/orders/1", "POST", 405, "method_not_allowed"),
        ("/stores/demo/orders/1/2", "GET", 404, "not_found"),
    ],
)
def test_the_order_api_says_it_in_its(sqlite_world: World, path: str, method: str, status: int, code: str) -> None:
    answer = sqlite_world.http.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert set(answer.json()) == {"error"}


def test_a_body_that_says_it_is_too_large_is_refused_unread(sqlite_world: World) -> None:
    service = Service.hired(sqlite_world)
    limit = sqlite_world.settings.http.body_limit_bytes
    form = b"grant_type=client_credentials&padding=" + b"x" * limit
    answer = sqlite_world.http.post("/oauth/token", content=form, headers={"Content-Type": FORM}, auth=service.basic)
    assert answer.status_code == 413
    assert answer.json()["error"] == "payload_too_large"
    order = service.place_raw(b" " * (limit + 1))
    assert order.status_code == 413
    assert order.json()["error"]["code"] == "payload_too_large"


def test_a_body_that_turns_out_to_be_too_large_is_refused_too(sqlite_world: World) -> None:
    service = Service.hired(sqlite_world)

    def endless() -> Iterator[bytes]:
        for _ in range(sqlite_world.settings.http.body_limit_bytes // 65536 + 2):
            yield b" " * 65536

    headers = {**service.bearer, "Content-Type": "application/json"}
    answer = sqlite_world.http.post("/orders", content=endless(), headers=headers)
    assert answer.status_code == 413


def test_a_body_in_pieces_is_taken(sqlite_world: World) -> None:
    service = Service.hired(sqlite_world)
    pieces = iter([b"grant_type=", b"client_credentials"])
    answer = sqlite_world.http.post("/oauth/token", content=pieces, headers={"Content-Type": FORM}, auth=service.basic)
    assert answer.status_code == 200


class Proxied:
    """A server behind proxies, and requests as they come from this or that address."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def get(self, path: str, address: str, **headers: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._world.app, client=(address, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://auth.example") as client:
            return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture(scope="session")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("proxied")
    world = World(f"sqlite:///{folder / 'authsrv.db'}", trusted_proxies="10.0.0.0/8, 192.0.2.7")
    yield Proxied(world)
    world.close()


PROXY, STRANGER = "10.1.2.3", "203.0.113.5"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (STRANGER, STRANGER),
        (f"{STRANGER}:50123", STRANGER),
        (f"198.51.100.1:1, {STRANGER}:2, 10.9.9.9:3", STRANGER),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[::ffff:10.9.9.9]:1", PROXY),
        ("", PROXY),
    ],
)
def test_a_forwarded_address_may_have_a_port(forwarded: str, address: str) -> None:
    assert seen_through_proxy((b"x-forwarded-for", forwarded.encode())).address == address


def seen_through_proxy(*headers: tuple[bytes, bytes]) -> Caller:
    scope = {"client": (PROXY, 1), "scheme": "http", "headers": headers}
    return caller_of(scope, [ip_network("10.0.0.0/8")])


def test_what_proxies_say_counts_in_one_line_or_in_several() -> None:
    """RFC 9110, 5.3: who sends a line of their own must not thereby take the place of what was there."""
    for own, added in ((STRANGER, "10.9.9.9"), ("127.0.0.1", STRANGER)):
        lines = ((b"x-forwarded-for", own.encode()), (b"x-forwarded-for", added.encode()))
        assert seen_through_proxy(*lines) == seen_through_proxy((b"x-forwarded-for", f"{own}, {added}".encode()))
        assert seen_through_proxy(*lines).address == STRANGER


def test_the_nearest_proxy_says_which_scheme_and_host_were_asked_for() -> None:
    caller = seen_through_proxy((b"x-forwarded-proto", b"http"), (b"x-forwarded-proto", b"HTTPS"))
    assert caller.is_secure
    assert host_of({b"host": b"inner", b"x-forwarded-host": b"demo.shops.example, Demo.shops.example:443"}, caller) == (
        "demo.shops.example"
    )


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        pytest.param("127.0.0.1", {}, 200, id="this machine"),
        pytest.param("::1", {}, 200, id="this machine, by IPv6"),
        pytest.param("::ffff:127.0.0.1", {}, 200, id="this machine, IPv4 in IPv6"),
        pytest.param(STRANGER, {}, 403, id="a stranger over plain HTTP"),
        pytest.param(STRANGER, {"X_Forwarded_Proto": "https"}, 403, id="a stranger who says it is HTTPS"),
        pytest.param(STRANGER, {"X_Forwarded_For": "127.0.0.1"}, 403, id="a stranger who says it is this machine"),
        pytest.param(PROXY, {}, 403, id="a proxy that says nothing"),
        pytest.param(PROXY, {"X_Forwarded_Proto": "http", "X_Forwarded_For": STRANGER}, 403, id="plain HTTP outside"),
        pytest.param(PROXY, {"X_Forwarded_Proto": "https", "X_Forwarded_For": STRANGER}, 200, id="HTTPS outside"),
        pytest.param(
            f"::ffff:{PROXY}",
            {"X_Forwarded_Proto": "https", "X_Forwarded_For": STRANGER},
            200,
            id="HTTPS outside a proxy, IPv4 in IPv6",
        ),
        pytest.param(
            PROXY, {"X_Forwarded_Proto": "https, http", "X_Forwarded_For": STRANGER}, 403, id="HTTPS is but claimed"
        ),
        pytest.param(
            PROXY, {"X_Forwarded_For": f"127.0.0.1, {STRANGER}"}, 403, id="a stranger who put this machine in front"
        ),
        pytest.param(
            PROXY,
            {"X_Forwarded_Proto": "https", "X_Forwarded_For": f"{STRANGER}, 192.0.2.7"},
            200,
            id="two proxies, HTTPS outside",
        ),
    ],
)
@pytest.mark.anyio
async def test_plain_http_is_for_this_machine_alone(
    proxied: Proxied, address: str, headers: dict[str, str], status: int
) -> None:
    answer = await proxied.get("/oauth/jwks", address, **headers)
    assert answer.status_code == status
    assert ("location" in answer.headers) is False
    if status == 403:
        assert answer.json()["error"] == "https_required"


@pytest.mark.anyio
async def test_over_https_browsers_are_told_to_stay_with_it(proxied: Proxied) -> None:
    answer = await proxied.get("/oauth/jwks", PROXY, X_Forwarded_Proto="https", X_Forwarded_For=STRANGER)
    assert "max-age=" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.anyio
async def test_probes_answer_over_plain_http(proxied: Proxied, path: str) -> None:
    assert (await proxied.get(path, STRANGER)).status_code == 200


def test_a_host_that_is_forwarded_counts_only_from_a_trusted_proxy(world: World) -> None:
    service, other = Service.hired(world), world.add_store()
    # Nobody is trusted here, so the header is a stranger's.
    headers = {**service.bearer, "X-Forwarded-Host": f"{other.prefix}.localhost"}
    assert world.http.get("/orders", headers=headers).status_code == 200


def test_urls_come_from_the_setting_and_never_from_the_host_header(sqlite_world: World) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-protected-resource/orders", "/orders"):
        answer = sqlite_world.http.get(path, headers=headers)
        assert "evil" not in answer.text
        assert "evil" not in str(answer.headers)


def test_a_request_that_is_no_http_harms_nobody(sqlite_world: World) -> None:
    port = int(sqlite_world.url.rpartition(":")[2])
    for garbage in (
        b"\x16\x03\x01\x00\xa5",
        b"GET\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    ):
        with socket.create_connection((str(ip_address("127.0.0.1")), port), timeout=5) as connection:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            assert b" 500 " not in connection.recv(4096)
    assert sqlite_world.http.get("/healthz").status_code == 200


def test_a_person_at_an_unknown_path_gets_a_page(world: World) -> None:
    shown = world.http.get("/nothing-here", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (shown.status_code, shown.headers["content-type"].split(";")[0]) == (404, "text/html")


def test_the_front_door_leads_to_the_account(world: World) -> None:
    assert world.http.get("/").headers["location"] == "/account"
