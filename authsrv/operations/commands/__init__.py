"""The command line: one file a group of commands; exit 0 done, 1 refused, 2 misused.

A command's file is imported when the command is called: the others' imports would take longer than most commands do.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

# A command, or a group of them, and the file it is in.
FILES = {
    "serve": "serving",
    "migrate": "serving",
    "check": "serving",
    "stores": "stores",
    "users": "users",
    "apps": "apps",
    "api-keys": "api_keys",
    "audit": "audit",
    "customer-api": "customer_api",
    "grants": "grants",
    "keys": "keys",
    "prices": "prices",
    "products": "products",
    "registration": "registration",
    "staff": "staff",
    "usage": "usage",
    "webhooks": "webhooks",
}


class _Commands(TyperGroup):
    """All of FILES, each imported when it is asked for."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        # What a mistyped name is compared with.
        self.commands = {name: TyperGroup(name=name) for name in FILES}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in FILES:
            return None
        group = get_group(import_module(f"{__name__}.{FILES[cmd_name]}").commands)
        group.name = cmd_name
        return group.commands.get(cmd_name, group)


cli = typer.Typer(
    name="authsrv", cls=_Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@cli.callback()
def authsrv() -> None:
    """An OAuth 2.0 and OpenID Connect authorization server for commerce platforms."""


__all__ = ["cli"]
