"""`authsrv keys`: the signing keys."""

from datetime import timedelta
from typing import Any

import typer

from authsrv.oauth.keyring import ensure_keys, rotate_keys, state_of
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many
from authsrv.storage.signing_keys import list_signing_keys
from authsrv.storage.unit import Unit

commands = typer.Typer(help="Signing keys.", no_args_is_help=True)
_COLUMNS = ("kid", "algorithm", "state", "signs_at", "expires_at")


@commands.command("list")
def list_all(as_json: AsJson = False) -> None:
    """The keys that stand in the JWKS: announced, signing or retired."""
    nothing = "No keys yet; the server makes them at its first start."
    show_many(run(lambda unit, _: _described(unit)), as_json=as_json, columns=_COLUMNS, nothing=nothing)


@commands.command("rotate")
def rotate(as_json: AsJson = False) -> None:
    """Announce a successor for each key; it signs once every verifier has had time to fetch it."""

    def work(unit: Unit, tools: Tools) -> list[dict[str, Any]]:
        vault = tools.vault("signing key")
        ensure_keys(unit, vault)
        announce = timedelta(seconds=tools.settings.keys.announce_seconds)
        rotate_keys(unit, vault, announce=announce, actor=ACTOR)
        return _described(unit)

    show_many(run(work), as_json=as_json, columns=_COLUMNS, nothing="")


def _described(unit: Unit) -> list[dict[str, Any]]:
    rows = list_signing_keys(unit)
    return [
        {
            "kid": row.kid,
            "algorithm": row.algorithm,
            "state": state_of(row, rows, unit.now()),
            "created_at": row.created_at.isoformat(),
            "signs_at": row.signs_at.isoformat(),
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        }
        for row in rows
    ]
