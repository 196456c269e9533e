"""People who act: a test reads like what they do."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from authsrv.operations.commands import cli
from tests.support.server import CommandResult, ServerProcess, run_cli
from tests.support.world import Registered, World

FORM = "application/x-www-form-urlencoded"
ADDRESS = {"street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "91234", "country": "USA"}
# The order of the seed.
ORDER = {
    "customer_id": "12345",
    "items": [{"product_id": "A100", "quantity": 2}, {"product_id": "B200", "quantity": 1}],
    "shipping_address": ADDRESS,
    "payment_method": "credit_card",
    "payment_details": {},
}


@dataclass
class Service:
    """A program with credentials of its own, in one store."""

    world: World
    store: str | None
    credentials: Registered
    _bearer: dict[str, str] = field(default_factory=dict)

    @classmethod
    def hired(cls, world: World, *, scope: str = "orders:read orders:write", **values: object) -> "Service":
        """A service in a store of its own, unless `store` names one (None: in no store)."""
        store = values.pop("store") if "store" in values else world.add_store().prefix
        return cls(world, store, world.add_client(store=store, scope=scope, **values))  # type: ignore[arg-type]

    @property
    def client_id(self) -> str:
        return self.credentials.client_id

    @property
    def basic(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.client_id, self.credentials.client_secret)

    @property
    def in_body(self) -> dict[str, str]:
        return {"client_id": self.client_id, "client_secret": self.credentials.client_secret}

    def ask_for_token(self, **form: str | Sequence[str]) -> httpx.Response:
        return self.world.http.post("/oauth/token", data={"grant_type": "client_credentials", **form}, auth=self.basic)

    def get_token(self, **form: str | Sequence[str]) -> str:
        answer = self.ask_for_token(**form)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    @property
    def bearer(self) -> dict[str, str]:
        """The header that carries its token, which it keeps."""
        if not self._bearer:
            self._bearer = bearer(self.get_token())
        return self._bearer

    def introspect(self, token: str, **form: str) -> dict[str, Any]:
        answer = self.world.http.post("/oauth/introspect", data={"token": token, **form}, auth=self.basic)
        assert answer.status_code == 200, answer.text
        described: dict[str, Any] = answer.json()
        return described

    def revoke(self, token: str, **form: str) -> httpx.Response:
        return self.world.http.post("/oauth/revoke", data={"token": token, **form}, auth=self.basic)

    def place(self, order: object = ORDER, *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.world.http.post("/orders", json=order, headers={**self.bearer, **(headers or {})})

    def place_raw(self, body: bytes) -> httpx.Response:
        headers = {**self.bearer, "Content-Type": "application/json"}
        return self.world.http.post("/orders", content=body, headers=headers)

    def read(self, order_id: str) -> httpx.Response:
        return self.world.http.get(f"/orders/{order_id}", headers=self.bearer)

    def list(self, **query: str | int) -> httpx.Response:
        return self.world.http.get("/orders", params=query, headers=self.bearer)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def misspelt(text: str) -> str:
    """The same with another last letter, whatever that was."""
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def order_of(*items: tuple[str, int], **changes: object) -> dict[str, object]:
    """An order for these products and quantities."""
    wanted = [{"product_id": product_id, "quantity": quantity} for product_id, quantity in items]
    return {**ORDER, "items": wanted, **changes}


@dataclass(frozen=True)
class Operator:
    """A person at a shell, in a folder of their own, with nothing but these settings in the environment."""

    folder: Path
    settings: Mapping[str, str]

    def run(self, *args: str, text: str | None = None, **settings: str) -> CommandResult:
        """A command, run in this process: the same as `run_process` for a tenth of its cost."""
        ours = {name: None for name in os.environ if name.startswith("AUTHSRV_")}
        with chdir(self.folder), _logs_left_alone():
            result = CliRunner().invoke(cli, list(args), input=text, env={**ours, **self.settings, **settings})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandResult(result.exit_code, result.stdout, result.stderr)

    def run_process(self, *args: str, text: str | None = None, **settings: str) -> CommandResult:
        return run_cli(*args, env={**self.settings, **settings}, cwd=self.folder, text=text)

    def ask(self, *args: str, text: str | None = None) -> Any:
        """What the command prints with `--json`, which must be one JSON value and nothing else."""
        result = self.run(*args, "--json", text=text)
        assert result.stderr == ""
        return result.json()

    def serve(self, *args: str, **settings: str) -> ServerProcess:
        return ServerProcess(self.folder, {**self.settings, **settings}, *args)


@contextmanager
def _logs_left_alone() -> Iterator[None]:
    """A command sets up logs for its own process; in this one, servers log as well, and not into what it prints."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("running", "serving"):
            patch.setattr(f"authsrv.operations.commands.{module}.set_up_logs", lambda *_: None)
        yield
