"""How long a refusal takes does not tell whether there is such a client."""

import base64
import time
from statistics import median

from authsrv.oauth.registration import suspend_client
from authsrv.storage.clients import find_client
from authsrv.storage.unit import Unit
from tests.actors import FORM, Service
from tests.support.world import World

ROUNDS = 300
MOST_APART = 1.25


def test_a_wrong_secret_an_unknown_and_a_suspended_client_take_equally_long(sqlite_file: str) -> None:
    """Medians of interleaved requests lie within a quarter of each other.

    This shows that no case asks the database, hashes slowly or returns early where the others do not: each of those
    costs several times the bound. It cannot show differences of microseconds, which comparing digests in constant time
    (`hmac.compare_digest`) has to rule out; nor the first request for a name, which costs any client a look-up.
    """
    world = World(sqlite_file, limits={"token_per_client": "off"})
    known, suspended = Service.hired(world), Service.hired(world)

    def suspend(unit: Unit) -> None:
        client = find_client(unit, suspended.client_id)
        assert client
        suspend_client(unit, client, actor="test")

    world.transact(suspend)
    wrong = known.credentials.client_secret[:-8] + "AAAAAAAA"
    cases = {
        "wrong secret": headers_of(known.client_id, wrong),
        "unknown client": headers_of(known.client_id[:-4] + "AAAA", wrong),
        "suspended client": headers_of(suspended.client_id, suspended.credentials.client_secret),
        "suspended client, wrong secret": headers_of(suspended.client_id, wrong),
    }
    took: dict[str, list[float]] = {name: [] for name in cases}
    bodies = set()
    for _ in range(ROUNDS):
        for name, headers in cases.items():
            began = time.perf_counter()
            answer = world.http.post("/oauth/token", content=b"grant_type=client_credentials", headers=headers)
            took[name].append(time.perf_counter() - began)
            bodies.add((answer.status_code, answer.text, answer.headers["www-authenticate"]))
    world.close()
    # Word for word the same, too.
    assert len(bodies) == 1
    medians = {name: median(times) for name, times in took.items()}
    print({name: f"{seconds * 1000:.3f} ms" for name, seconds in medians.items()})
    assert max(medians.values()) < min(medians.values()) * MOST_APART, medians


def headers_of(client_id: str, secret: str) -> dict[str, str]:
    credentials = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Content-Type": FORM, "Authorization": f"Basic {credentials}"}
