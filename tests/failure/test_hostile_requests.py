"""Requests made to break the server or to slip past it: none is a 500, none does what it should not."""

import base64
import socket
from urllib.parse import urlencode

import httpx
import orjson
import pytest

from tests.actors import FORM, ORDER, Service
from tests.engines import on_postgresql_alone
from tests.failure.conftest import Shops
from tests.support.plain_http import NO_TLS
from tests.support.ports import LOOPBACK
from tests.support.traffic import DEMO_CLIENT, DEMO_SECRET, Caller
from tests.support.world import World

TOKEN_HEAD = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
SECOND = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def service(world: World) -> Service:
    return Service.hired(world)


def post_form(service: Service, content: bytes, **headers: str) -> httpx.Response:
    return service.world.http.post("/oauth/token", content=content, headers={"Content-Type": FORM, **headers})


@pytest.mark.parametrize(
    "credentials",
    [
        b"\xff\xfe:x",
        b"a\0b:c",
        b"nocolon",
        b":",
        b"a:",
        b"\xc3\xa9:\xc3\xbc",
        b"%ff%ed%a0%80:%00",
        b"%:%",
        b"a" * 50_000,
    ],
)
@on_postgresql_alone()
def test_basic_credentials_of_any_bytes_are_refused(service: Service, credentials: bytes) -> None:
    header = "Basic " + base64.b64encode(credentials).decode()
    assert post_form(service, b"grant_type=client_credentials", Authorization=header).status_code in {400, 401}


@pytest.mark.parametrize("header", ["Basic", "Basic =", "Basic a===", "Basic \x7f", "basic YTpi YTpi", "Digest x"])
@on_postgresql_alone()
def test_an_authorization_header_that_is_none_is_refused(service: Service, header: str) -> None:
    assert post_form(service, b"grant_type=client_credentials", Authorization=header).status_code in {400, 401}


def test_two_authorization_headers_are_refused_everywhere(service: Service) -> None:
    good = base64.b64encode(f"{service.client_id}:{service.credentials.client_secret}".encode()).decode()
    for pair in ((good, good), (good, "eDp5"), ("eDp5", good)):
        headers = [("Authorization", f"Basic {one}") for one in pair]
        for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
            form = {"grant_type": "client_credentials", "token": "x"}
            assert service.world.http.post(path, data=form, headers=headers).status_code == 400
    bearer = service.bearer["Authorization"]
    for second in (bearer, "Bearer x", f"Basic {good}"):
        twice = [("Authorization", bearer), ("Authorization", second)]
        assert service.world.http.get("/orders", headers=twice).status_code == 401


@pytest.mark.parametrize(
    "form",
    [
        b"client_id=%00&client_secret=%00&grant_type=client_credentials",
        b"client_id=%ff",
        b"\xff=\xff",
        b"grant_type=client_credentials;client_id=x",
        b"client_id=%ed%a0%80&client_secret=x",
        b"client_id=" + b"a" * 100_000 + b"&client_secret=x&grant_type=client_credentials",
        b"grant_type=%F0%9F%92%A9%00",
        b"&" * 10_000,
        b"=" * 10_000,
        b"%" * 10_000,
        urlencode({f"a{number}": "x" for number in range(10_000)}).encode(),
        b"grant_type=client_credentials&" * 2,
        b"--x\r\nContent-Disposition: form-data\r\n\r\n",
    ],
)
@on_postgresql_alone()
def test_forms_of_any_bytes_are_refused(service: Service, form: bytes) -> None:
    for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
        answer = service.world.http.post(path, content=form, headers={"Content-Type": FORM})
        assert answer.status_code in {400, 401}, (path, answer.text)


@pytest.mark.parametrize(
    "body",
    [
        b'{"payment_details":' * 10_000,
        b'{"payment_details":{"a":' + b"[" * 50_000,
        b'{"customer_id":"\\ud800"}',
        b'{"customer_id":"\\u0000","items":[{"product_id":"A100","quantity":1}]}',
        b'{"items":[{"product_id":"A100","quantity":1e999}]}',
        b'{"items":[{"product_id":"A100","quantity":' + b"9" * 50_000 + b"}]}",
        b'{"items":[{"product_id":"A100","quantity":NaN}]}',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"",
        b"[]",
        b"null",
        b'{"a":1}{"b":2}',
    ],
)
@on_postgresql_alone()
def test_orders_of_any_bytes_are_refused(service: Service, body: bytes) -> None:
    assert service.place_raw(body).status_code == 400


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", "\ud7ff\uffff", '\'; DROP TABLE "order"; --', "%", "_", "\\", "a" * 5000]
)
def test_text_of_any_kind_reaches_no_database_unescaped(service: Service, text: str) -> None:
    assert service.place().status_code == 201
    listed = service.list(customer_id=text)
    assert listed.status_code in {200, 400}
    if listed.status_code == 200:
        assert listed.json() == []
    assert service.list(page=text).status_code == 400
    assert service.list(status=text).status_code == 400
    assert service.list(after=text).status_code == 400
    order = orjson.loads(orjson.dumps({**ORDER, "customer_id": text}))
    assert service.place(order).status_code in {201, 400}
    assert len(service.list().json()) <= 2


@pytest.mark.parametrize(
    "path",
    [
        "/stores/../orders",
        "/stores/{own}/../{other}/orders",
        "/stores/{own}/stores/{other}/orders",
        "/stores/{other}/stores/{own}/orders",
        "/stores/{other}/orders",
        "/stores/%2e%2e/orders",
        "/stores/{other}%2forders",
        "/stores/{other}%2f../orders",
        "/stores//{own}/orders",
        "//stores/{own}/orders",
        "/stores/{own}//orders",
        "//orders",
        "/orders/../orders",
        "/orders/..%2f..%2fetc%2fpasswd",
        "/orders/%00",
        "/orders/%ff",
        "/orders;x",
        "/.well-known/../orders",
        "/.well-known/oauth-protected-resource/../../orders",
        "/.well-known/oauth-protected-resource/..%2f..%2forders",
        "/.well-known/oauth-protected-resource/orders/..",
        "/.well-known/oauth-protected-resource/%00",
    ],
)
@on_postgresql_alone()
def test_no_path_leads_around_the_store_or_out_of_the_house(service: Service, path: str) -> None:
    path = path.format(own=service.store, other=service.world.add_store().prefix)
    # As it is spelled: a client that tidies paths would hide what is tried.
    request = httpx.Request("GET", service.world.url, headers=service.bearer, extensions={"target": path.encode()})
    answer = service.world.http.send(request)
    assert answer.status_code in {403, 404}, (answer.status_code, answer.text)
    assert "passwd" not in answer.text


@pytest.mark.parametrize(
    "host", ["{}.localhost", "{}.LOCALHOST", "{}.localhost:80", "{}.localhost.", "{}.localhost.:80"]
)
@on_postgresql_alone()
def test_a_store_s_host_is_known_however_it_is_spelled(service: Service, host: str) -> None:
    other = service.world.add_store().prefix
    for prefix, status in ((service.store, 200), (other, 403), (other.upper(), 403)):
        headers = {**service.bearer, "Host": host.format(prefix)}
        assert service.world.http.get("/orders", headers=headers).status_code == status


@pytest.mark.parametrize("host", ["", "a b", "x@localhost", "[::1", "[", ":", "é", "../x", "x" * 10_000])
@on_postgresql_alone()
def test_a_host_that_is_none_changes_nothing(service: Service, host: str) -> None:
    answer = service.world.http.get("/.well-known/oauth-authorization-server", headers={b"Host": host.encode()})
    assert answer.json()["issuer"] == service.world.url


SMUGGLED = {
    "length-and-chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks-and-length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two-encodings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "space-before-colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "almost-chunked": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two-lengths": b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "lengths-listed": b"Content-Length: 0, 5\r\n\r\n",
    "length-plus": b"Content-Length: +0\r\n\r\n",
    "length-negative": b"Content-Length: -1\r\n\r\n",
    "length-hex": b"Content-Length: 0x0\r\n\r\n",
    "length-huge": b"Content-Length: 99999999999999999999999999\r\n\r\n",
    "chunk-size-of-no-number": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "chunk-size-huge": b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
    "bare-line-feeds": b"X: y\n\n",
    "folded": b"X: y\r\n Content-Length: 4\r\n\r\n",
    "nul-in-header": b"X: a\0b\r\n\r\n",
    "carriage-return-in-header": b"X: a\rContent-Length: 4\r\n\r\n",
}


@pytest.mark.parametrize("rest", SMUGGLED.values(), ids=SMUGGLED)
def test_no_second_request_hides_in_a_first(shops: Shops, rest: bytes) -> None:
    """A request whose end two parsers could see in two places is refused whole, and the connection is over."""
    heard = converse(shops("sqlite").port, TOKEN_HEAD + rest + SECOND)
    assert heard.count(b"HTTP/1.1 ") == 1
    assert heard.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(HEALTH + b"X: " + b"a" * 2_000_000 + b"\r\n\r\n", b"431", id="a-header-of-2-MB"),
        pytest.param(HEALTH + b"X: y\r\n" * 300_000 + b"\r\n", b"431", id="300,000-headers"),
        pytest.param(b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"431", id="a-path-of-2-MB"),
        pytest.param(b"FOO /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"400", id="no-such-method"),
        pytest.param(b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"400", id="connect"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404", id="asterisk"),
        pytest.param(b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", b"400", id="raw-bytes-in-the-path"),
        pytest.param(b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"400", id="no-slash"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400", id="http-2"),
        pytest.param(TOKEN_HEAD + b"Content-Length: 999999999\r\n\r\nx", b"413", id="a-body-said-to-be-huge"),
        pytest.param(
            TOKEN_HEAD + b"Transfer-Encoding: chunked\r\n\r\n80000\r\n" + b"a" * 0x80000 + b"\r\n0\r\n\r\n",
            b"413",
            id="a-body-that-turns-out-huge",
        ),
    ],
)
def test_an_absurd_request_is_refused_in_bounded_memory(shops: Shops, head: bytes, status: bytes) -> None:
    heard = converse(shops("sqlite").port, head)
    # Who goes on sending may lose the answer, but not the refusal.
    assert heard == b"" or heard.startswith(b"HTTP/1.1 " + status), heard[:200]


@pytest.mark.parametrize("path", ["/healthz", "/sign-in", "/oauth/token", "/orders", "/nowhere"])
def test_no_answer_names_the_software_it_comes_from(shops: Shops, path: str) -> None:
    headers = httpx.get(f"{shops('sqlite').url}{path}", verify=NO_TLS).headers
    assert {"server", "x-powered-by"}.isdisjoint(headers)


def test_a_body_shorter_than_promised_is_no_fault_of_ours(shops: Shops) -> None:
    shop = shops("sqlite")
    Caller(shop.port).get_token()
    with socket.create_connection((LOOPBACK, shop.port), timeout=5) as connection:
        connection.sendall(TOKEN_HEAD + b"Content-Length: 100\r\n\r\ngrant_type=")
    assert Caller(shop.port).call("GET", "/healthz").status == 200
    assert "internal_error" not in shop.log()
    assert '"level":"error"' not in shop.log()


@pytest.mark.parametrize("protocol", ["websocket", "h2c", "x"])
def test_who_asks_for_another_protocol_is_answered_in_this_one(shops: Shops, protocol: str) -> None:
    shop = shops("sqlite")
    wish = {"Connection": "Upgrade", "Upgrade": protocol, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "eA=="}
    assert Caller(shop.port).call("GET", "/oauth/jwks", headers=wish).status == 200
    assert "upgrade" not in shop.log().lower()
    assert "websocket" not in shop.log().lower()


def test_nothing_a_caller_sends_makes_a_log_line_or_is_found_in_one(shops: Shops) -> None:
    shop = shops("sqlite")
    caller = Caller(shop.port)
    token = caller.get_token()
    forged = '{"level":"error","event":"forged"}'
    for text in (forged, f"x{forged}", "\x1b[31mred"):
        headers = {"X-Request-Id": text, "User-Agent": text, "X-Forwarded-For": text, "Referer": text}
        answer = caller.call("GET", f"/orders/{token}", headers={**headers, "Authorization": f"Bearer {token}"})
        assert answer.status in {400, 404}
        assert text not in answer.headers.values()
        caller.call("GET", "/orders?" + urlencode({"customer_id": f"\r\n{text}"}), headers=headers)
        caller.call("GET", "/" + urlencode({"x": f"\r\n{text}"}), headers=headers)
        caller.post_form("/oauth/token", grant_type=f"\r\n{text}")
    assert caller.introspect(token).status == 200
    log = shop.log()
    assert "forged" not in log
    assert "\x1b" not in log
    for secret in (token, DEMO_SECRET, base64.b64encode(f"{DEMO_CLIENT}:{DEMO_SECRET}".encode()).decode()):
        assert secret not in log.split("Ctrl-C stops the server")[-1]


def converse(port: int, octets: bytes) -> bytes:
    """What comes back until the server ends the connection, or has nothing more to say."""
    heard = b""
    with socket.create_connection((LOOPBACK, port), timeout=0.7) as connection:
        try:
            connection.sendall(octets)
            while more := connection.recv(65_536):
                heard += more
        except OSError:
            return heard
    return heard
