"""Each request and answer of Vend's document, held by a file: these names, these types, in this order."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.dialects.vend.tills import Till, at, retailer_of
from tests.people import Person, answer_in
from tests.support.world import World

GOLDEN = Path(__file__).with_name("golden")
PLACEHOLDERS = {
    "<access_token>": re.compile(r"[\w-]+\.[\w-]+\.[\w-]+"),
    "<refresh_token>": re.compile(r"rt_[\w-]{40,}"),
    "<expires>": re.compile(r"1[789]\d{8}"),
    "<time>": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    "<user_id>": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "<email>": re.compile(r"[0-9a-f]{12}@example\.com"),
}
NUMBERS = {"<expires>"}


def judge(found: object, golden: object, where: str = "body") -> None:
    """Raises AssertionError where what was found is not what the file says."""
    if isinstance(golden, str) and golden in PLACEHOLDERS:
        assert isinstance(found, int if golden in NUMBERS else str), where
        assert PLACEHOLDERS[golden].fullmatch(str(found)), where
        return
    assert type(found) is type(golden), where
    if isinstance(golden, dict):
        assert isinstance(found, dict)
        assert list(found) == list(golden), where
        for name, value in golden.items():
            judge(found[name], value, f"{where}.{name}")
    elif isinstance(golden, list):
        assert isinstance(found, list)
        assert len(found) == len(golden), where
        for number, value in enumerate(golden):
            judge(found[number], value, f"{where}[{number}]")
    else:
        assert found == golden, where


class Teller:
    """Tells the files' stories of one app, one retailer and one store, filling in what earlier answers brought."""

    def __init__(self, world: World, till: Till) -> None:
        self._world = world
        self._store = world.add_store().prefix
        self._retailer = retailer_of(world, self._store)
        own = till.credentials
        self._known = {"client_id": own.client_id, "client_secret": own.client_secret, "domain_prefix": self._store}
        self.told: set[str] = set()

    def tell(self, name: str) -> None:
        story = json.loads((GOLDEN / f"{name}.json").read_text())
        asked, wanted = story["request"], story["answer"]
        central = asked["host"] == "central"
        answer = self._visit(asked) if central else self._call(asked)
        assert answer.status_code == wanted["status"], answer.text
        if central:
            self._judge_location(answer, wanted["location"])
        else:
            assert answer.headers["content-type"] == "application/json"
            judge(answer.json(), wanted["body"])
            self._known |= {
                key: text for key, text in answer.json().items() if key in {"access_token", "refresh_token"}
            }
        self.told.add(name)

    def _visit(self, asked: Any) -> httpx.Response:
        person: Person = self._retailer
        arrived = person.visit(self._filled(asked["path"]))
        return person.send(arrived, decision=asked["the retailer"]) if "the retailer" in asked else arrived

    def _call(self, asked: Any) -> httpx.Response:
        headers = {name: self._filled(text) for name, text in asked.get("headers", {}).items()}
        return self._world.http.request(
            asked["method"],
            self._filled(asked["path"]),
            headers={**headers, **at(self._store)},
            content=self._filled(asked.get("body", "")),
        )

    def _judge_location(self, answer: httpx.Response, wanted: str) -> None:
        if "<code>" in wanted:
            self._known["code"] = answer_in(answer)["code"]
        assert answer.headers["location"] == self._filled(wanted)
        assert urlsplit(wanted).fragment == ""

    def _filled(self, text: str) -> str:
        return re.sub(r"<(\w+)>", lambda match: self._known[match[1]], text)


def test_every_request_of_the_document_is_answered_as_its_file_says(world: World) -> None:
    """4.7 and all others, as they stand on the wire."""
    rotating = Teller(world, Till.registered(world))
    # Declined first: what was allowed before is not asked for again.
    for name in ("decline", "connect", "token", "product", "products", "users", "no_token", "token_used"):
        rotating.tell(name)
    for name in ("refresh_rotated", "refresh_rotated", "connect_again"):
        rotating.tell(name)
    lasting = Teller(world, Till.registered(world, rotates_refresh_tokens=False))
    for name in ("connect", "token", "refresh_not_rotated", "refresh_not_rotated"):
        lasting.tell(name)
    assert rotating.told | lasting.told == {path.stem for path in GOLDEN.glob("*.json")}
