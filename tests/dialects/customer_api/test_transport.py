"""HTTPS only, compressed only: the document's rules of the wire, checked on the wire."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from authsrv.dialects.customer_api.answers import asks_for_gzip
from tests.dialects.customer_api.shopper import TOKEN_PATH, Shopper
from tests.support.databases import migrate_with_keys
from tests.support.world import World

STRANGER = "203.0.113.9"


@dataclass
class Front:
    """A server that its proxy vouches for, as the world outside sees it."""

    shopper: Shopper

    def ask(
        self, *, proto: str | None, address: str | None = None, path: str = "/api/customer/orders"
    ) -> httpx.Response:
        """What a proxy passes on that was asked over `proto`; None is a caller on this machine, past the proxy."""
        headers = {"Host": f"{self.shopper.prefix}.shops.example"}
        if proto is not None:
            headers["X-Forwarded-Proto"] = proto
        if address is not None:
            headers["X-Forwarded-For"] = address
        return self.shopper.world.http.get(path, headers=headers)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """As in production: the setting is left at its default."""
    yield from serve(tmp_path_factory.mktemp("front"))


@pytest.fixture(scope="module")
def lenient_front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The same, with plain http allowed on loopback."""
    yield from serve(tmp_path_factory.mktemp("lenient"), allow_http=True)


def serve(folder: Path, *, allow_http: bool | None = None) -> Iterator[Front]:
    url = f"sqlite:///{folder / 'authsrv.db'}"
    migrate_with_keys(url)
    world = World(
        url,
        issuer="https://auth.shops.example",
        store_hosts="{prefix}.shops.example",
        trusted_proxies="127.0.0.1",
        customer_api={} if allow_http is None else {"allow_http": allow_http},
    )
    yield Front(Shopper.allowed(world))
    world.close()


@pytest.mark.parametrize("address", [None, STRANGER], ids=["this machine", "a stranger"])
def test_plain_http_is_forbidden_and_leads_nowhere(front: Front, address: str | None) -> None:
    """Sentences 6, 7 and 8."""
    for path in ("/api/customer/orders", "/api/customer/products"):
        answer = front.ask(proto="http", address=address, path=path)
        assert answer.status_code == 403
        assert "location" not in answer.headers
        assert answer.json()["error"] == "https_required"


def test_a_caller_on_this_machine_is_no_exception(front: Front) -> None:
    """Sentence 8."""
    assert front.ask(proto=None).status_code == 403


def test_the_token_endpoint_is_no_exception(front: Front) -> None:
    """Sentence 8."""
    headers = {"Host": f"{front.shopper.prefix}.shops.example", "X-Forwarded-Proto": "http"}
    form = {"grant_type": "client_credentials", **front.shopper.pair}
    answer = front.shopper.world.http.post(TOKEN_PATH, data=form, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["message"] == answer.json()["error_description"]


def test_https_is_answered(front: Front) -> None:
    """Sentence 6: with nothing wrong but the token, which is missing."""
    assert front.ask(proto="https", address=STRANGER).status_code == 401


def test_plain_http_may_be_allowed_for_this_machine_and_for_no_other(lenient_front: Front) -> None:
    assert lenient_front.ask(proto=None).status_code == 401
    assert lenient_front.ask(proto="http", address=STRANGER).status_code == 403


@pytest.fixture
def regular(sqlite_regular: Shopper) -> Shopper:
    """On one engine: what is said on the wire knows no database."""
    return sqlite_regular


def raw(shopper: Shopper, method: str, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """An answer and its bytes as they came."""
    own = {**shopper.bearer, **headers}
    with shopper.world.http.stream(method, f"/stores/{shopper.prefix}{path}", headers=own) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/customer/orders", 200),
        ("/api/customer/products?code=C-A100", 200),
        ("/api/customer/products", 400),
        ("/api/customer/nothing", 404),
        (TOKEN_PATH, 405),
    ],
)
def test_every_answer_is_real_gzip(regular: Shopper, path: str, status: int) -> None:
    """Sentences 9 and 11: errors too."""
    answer, body = raw(regular, "GET", path, **{"Accept-Encoding": "gzip"})
    assert answer.status_code == status
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-length"] == str(len(body))
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert gzip.decompress(body).startswith((b"{", b"["))


def test_a_head_says_what_a_get_would(regular: Shopper) -> None:
    asked, body = raw(regular, "GET", "/api/customer/orders", **{"Accept-Encoding": "gzip"})
    answer, nothing = raw(regular, "HEAD", "/api/customer/orders", **{"Accept-Encoding": "gzip"})
    assert (answer.status_code, nothing) == (200, b"")
    assert answer.headers["content-length"] == asked.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("header", ["identity", "br, deflate", "gzip;q=0", "*", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_gzip_a_request_is_refused(regular: Shopper, header: str, method: str) -> None:
    """Sentences 12 and 13; plain, since nothing else was asked for."""
    answer, body = raw(regular, method, "/api/customer/orders", **{"Accept-Encoding": header})
    assert answer.status_code == 400
    assert "content-encoding" not in answer.headers
    assert body.startswith(b'{"error":"invalid_request"')


@pytest.mark.parametrize("header", ["identity", "gzip;q=0"])
def test_the_token_endpoint_wants_gzip_too(regular: Shopper, header: str) -> None:
    """Sentence 12: all API requests."""
    form = {"grant_type": "client_credentials", **regular.pair}
    answer = regular.post_form(form, **{"Accept-Encoding": header})
    assert answer.status_code == 400
    assert answer.json()["message"] == "The Accept-Encoding header must name gzip."


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["gzip"], True),
        (["GZIP"], True),
        (["x-gzip"], True),
        (["gzip, deflate, br"], True),
        (["br;q=1.0, gzip;q=0.8, *;q=0.1"], True),
        (["br", "gzip"], True),
        (["gzip ; q=0.001"], True),
        (["gzip;q=0"], False),
        (["gzip;q=0.000"], False),
        (["gzip;q=none"], False),
        (["gzip;q=nan"], False),
        (["gzip;x=1"], False),
        (["gzipped"], False),
        (["*"], False),
        ([], False),
    ],
)
def test_asking_for_gzip_is_read_as_the_standard_says(values: list[str], wanted: bool) -> None:  # noqa: FBT001
    """Sentences 10 to 12; RFC 9110, 12.5.3. A star names nothing."""
    assert asks_for_gzip(values) is wanted


@pytest.mark.parametrize("header", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_a_body_without_its_content_type_is_refused(regular: Shopper, header: str | None) -> None:
    """Sentences 14 and 15."""
    own = {"Content-Type": header} if header else {}
    answer = regular.call("POST", "/orders", content=b'{"products":[{"code":"C-A100","quantity":1}]}', headers=own)
    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


def test_a_content_type_may_name_its_charset(shopper: Shopper) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = b'{"products":[{"code":"C-A100","quantity":1}]}'
    assert shopper.call("POST", "/orders", content=body, headers=headers).status_code == 201
