"""What is measured: each request, what it may cost, and the requests that stand for it."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.load import WebRequest
from bench.people import APP, CALLBACK, VERIFIER
from bench.stage import Actor, Stage

_FORM = ("Content-Type", "application/x-www-form-urlencoded")
# Known tokens: fewer than a worker remembers, as many as a busy resource server has in its hands.
_KNOWN_TOKENS = 2_000
_READ_ORDERS = 10_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the report.

    `prepare` makes the requests: they are sent in turn, and over again unless `sent_once` (then it is asked for as many
    as a run can use up). `holds` stands in every good answer. `statements` and `least_ratio` (of the bare server's
    throughput) are the targets, and `most_times`; what is None is no target.
    """

    name: str
    prepare: Callable[[Stage, int], Sequence[WebRequest]]
    holds: bytes
    statements: int
    least_ratio: float | None = None
    sent_once: bool = False
    # Another scenario, and at most how many times its cost this one may have.
    most_times: tuple[str, float] | None = None


def _get_tokens(stage: Stage, _: int) -> list[WebRequest]:
    body = urlencode({"grant_type": "client_credentials", "scope": "orders:read"}).encode()
    return [WebRequest("POST", "/oauth/token", (_FORM, _basic(actor)), body) for actor in stage.services]


def _introspect_known(stage: Stage, _: int) -> list[WebRequest]:
    return _introspect_new(stage, _KNOWN_TOKENS)


def _introspect_new(stage: Stage, count: int) -> list[WebRequest]:
    headers = (_FORM, _basic(stage.resource_server))
    return [
        WebRequest("POST", "/oauth/introspect", headers, urlencode({"token": token}).encode())
        for token in stage.issue(count)
    ]


def _read_orders(stage: Stage, _: int) -> list[WebRequest]:
    tokens = stage.issue(_KNOWN_TOKENS)
    return [
        WebRequest("GET", f"/orders/{order_id}", (("Authorization", f"Bearer {tokens[number % len(tokens)]}"),))
        for number, order_id in enumerate(stage.order_ids[:_READ_ORDERS])
    ]


def _list_orders(**query: str | int) -> Callable[[Stage, int], list[WebRequest]]:
    """Pages of 20, each by another token."""

    def prepare(stage: Stage, _: int) -> list[WebRequest]:
        path = f"/orders?{urlencode({'limit': 20, **query})}"
        return [
            WebRequest("GET", path, (("Authorization", f"Bearer {token}"),)) for token in stage.issue(_KNOWN_TOKENS)
        ]

    return prepare


def _follow_links(depth: int) -> Callable[[Stage, int], list[WebRequest]]:
    """What the Link header asks for, so many orders down."""

    def prepare(stage: Stage, count: int) -> list[WebRequest]:
        return _list_orders(after=stage.order_ids[-depth])(stage, count)

    return prepare


def _refresh(stage: Stage, count: int) -> list[WebRequest]:
    tokens = stage.allowed.refresh_tokens(count)
    return [_at_token_endpoint(stage, grant_type="refresh_token", refresh_token=token) for token in tokens]


def _redeem(stage: Stage, count: int) -> list[WebRequest]:
    grant = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return [_at_token_endpoint(stage, code=code, **grant) for code in stage.allowed.codes(count)]


def _revoke(stage: Stage, count: int) -> list[WebRequest]:
    actors = stage.services
    return [
        WebRequest(
            "POST", "/oauth/revoke", (_FORM, _basic(actors[number % len(actors)])), urlencode({"token": token}).encode()
        )
        for number, token in enumerate(stage.issue(count))
    ]


def _at_token_endpoint(stage: Stage, **form: str) -> WebRequest:
    pair = b64encode(f"{APP}:{stage.allowed.secret}".encode()).decode()
    return WebRequest("POST", "/oauth/token", (_FORM, ("Authorization", f"Basic {pair}")), urlencode(form).encode())


def _basic(actor: Actor) -> tuple[str, str]:
    return "Authorization", "Basic " + b64encode(f"{actor.client.client_id}:{actor.secret}".encode()).decode()


SCENARIOS = (
    Scenario("client_credentials", _get_tokens, b'"access_token":"ey', statements=0, least_ratio=0.45),
    Scenario("introspection", _introspect_known, b'"active":true', statements=0, least_ratio=0.45),
    Scenario("introspection-new", _introspect_new, b'"active":true', statements=0, sent_once=True),
    Scenario("order", _read_orders, b'"items":[{', statements=2),
    Scenario("list", _list_orders(), b'"items":[{', statements=3),
    Scenario("list-page-4000", _list_orders(page=4000), b'"items":[{', statements=3, most_times=("list", 3)),
    Scenario("list-link", _follow_links(20), b'"items":[{', statements=3, most_times=("list", 1.25)),
    Scenario("list-link-deep", _follow_links(90_000), b'"items":[{', statements=3, most_times=("list", 1.25)),
    Scenario("list-customer", _list_orders(customer_id="7"), b'"items":[{', statements=3, most_times=("list", 1.25)),
    Scenario("list-status", _list_orders(status="shipped"), b'"items":[{', statements=3, most_times=("list", 1.25)),
    Scenario("refresh", _refresh, b'"refresh_token":"rt_', statements=1, least_ratio=0.20, sent_once=True),
    Scenario("code", _redeem, b'"refresh_token":"rt_', statements=1, sent_once=True),
    Scenario("revocation", _revoke, b"{}", statements=1, sent_once=True),
)
