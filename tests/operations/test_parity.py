"""What people do at the pages can be done at the shell or by an API too: every form has its counterpart here."""

from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from authsrv.operations.commands import cli
from authsrv.pages.operator import apps as operator_apps
from authsrv.pages.operator import people as operator_people
from authsrv.routes import DIALECTS, DOORS

PAGES = ("/developers", "/store", "/invitations", "/account", "/operator")
# A form, and the commands (some with the option that does it) or the path of the API that do the same.
COUNTERPARTS = {
    "/account/name": ("users rename",),
    "/account/sessions": ("users sessions", "users sign-out --session", "users sign-out"),
    "/account/apps": ("grants list --user", "grants revoke"),
    "/account/api-password": ("customer-api create",),
    "/account/api-password/revoke": ("customer-api revoke",),
    "/developers/new": ("apps create", "/oauth/register"),
    "/developers/invitations/{invitation}": ("apps team add",),
    "/developers/apps/{app}/approval": ("apps ask-approval",),
    "/developers/apps/{app}/approval/withdraw": ("apps requests", "apps withdraw"),
    "/developers/apps/{app}/secrets": ("apps secrets add", "apps rotate-secret"),
    "/developers/apps/{app}/secrets/end": ("apps secrets end",),
    "/developers/apps/{app}/public-keys": ("apps update --jwks", "apps update --jwks-uri", "apps update --secrets"),
    "/developers/apps/{app}/settings": ("apps update",),
    "/developers/apps/{app}/logo": ("apps update --logo",),
    "/developers/apps/{app}/logo/remove": ("apps update --no-logo",),
    "/developers/apps/{app}/delete": ("apps delete",),
    "/developers/apps/{app}/team": ("apps team invite",),
    "/developers/apps/{app}/team/role": ("apps team role",),
    "/developers/apps/{app}/team/remove": ("apps team remove",),
    "/developers/apps/{app}/team/leave": ("apps team remove",),
    "/developers/apps/{app}/team/revoke": ("apps team invitations", "apps team take-back"),
    # It walks through the app's own sign-in and shows each step.
    "/developers/apps/{app}/try": ("/oauth/authorize", "/oauth/token"),
    "/developers/apps/{app}/keys": ("api-keys create --app",),
    "/developers/apps/{app}/keys/{key}/revoke": ("api-keys list", "api-keys revoke"),
    "/developers/apps/{app}/webhooks": ("webhooks create --app",),
    "/developers/apps/{app}/webhooks/{webhook}": ("webhooks change",),
    "/developers/apps/{app}/webhooks/{webhook}/do/{act}": (
        "webhooks ping",
        "webhooks enable",
        "webhooks disable",
        "webhooks delete",
    ),
    "/developers/apps/{app}/webhooks/{webhook}/secret": ("webhooks rotate-secret",),
    "/developers/apps/{app}/webhooks/{webhook}/redeliver": ("webhooks deliveries", "webhooks redeliver"),
    "/store/{prefix}/apps/disconnect": ("staff apps", "staff disconnect"),
    "/store/{prefix}/keys/revoke": ("api-keys list", "api-keys revoke"),
    "/store/{prefix}/webhooks/remove": ("webhooks list --store", "webhooks delete"),
    "/store/{prefix}/customers": ("customer-api allow", "customer-api withdraw"),
    "/store/{prefix}/customers/all": ("customer-api allow-all", "customer-api withdraw-all"),
    "/store/{prefix}/staff": ("staff invite",),
    "/store/{prefix}/staff/remove": ("staff list", "staff remove"),
    "/store/{prefix}/staff/invitations/revoke": ("staff invitations", "staff take-back"),
    "/invitations/{invitation}": ("users create --role",),
    "/operator/requests/{request}": ("apps requests", "apps accept", "apps refuse"),
    "/operator/apps/{app}/{act}": tuple(f"apps {act}" for act in operator_apps.ACTS),
    "/operator/people/{person}/{act}": tuple(f"users {act}" for act in operator_people.ACTS),
}
OF_DIALECTS = {door.path for dialect in DIALECTS for door in dialect.DOORS}
POSTED = {door.path for door in DOORS if "POST" in door.handlers and door.path not in OF_DIALECTS}
NAMED = sorted({name for names in COUNTERPARTS.values() for name in names})


def is_command(words: str) -> bool:
    """Whether the command line has this command, with this option where one is named."""
    path, _, option = words.partition(" --")
    found: Any = get_command(cli)
    for word in path.split():
        if not isinstance(found, TyperGroup):
            return False
        found = found.get_command(typer.Context(found), word)
    if found is None or isinstance(found, TyperGroup):
        return False
    return not option or any(f"--{option}" in param.opts for param in found.params)


def test_every_form_of_the_pages_has_its_counterpart_and_no_other() -> None:
    of_pages = {path for path in POSTED if f"/{path.split('/')[1]}" in PAGES}
    assert set(COUNTERPARTS) == of_pages


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_as_a_counterpart_exists(name: str) -> None:
    assert name in POSTED if name.startswith("/") else is_command(name)


@pytest.mark.parametrize("name", ["apps", "apps fly", "staff apps fly", "apps update --wings", "fly"])
def test_a_command_that_there_is_not_would_be_noticed(name: str) -> None:
    assert not is_command(name)
