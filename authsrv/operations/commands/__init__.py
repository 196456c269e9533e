"""The command line: one file a group of commands; exit 0 done, 1 refused, 2 misused."""

import typer

from authsrv.operations.commands import (
    api_keys,
    apps,
    customer_api,
    grants,
    keys,
    products,
    serving,
    stores,
    users,
    webhooks,
)

cli = typer.Typer(
    name="authsrv",
    help="An OAuth 2.0 and OpenID Connect authorization server for commerce platforms.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command("serve")(serving.serve)
cli.command("migrate")(serving.migrate)
cli.command("check")(serving.check)
cli.add_typer(stores.commands, name="stores")
cli.add_typer(users.commands, name="users")
cli.add_typer(apps.commands, name="apps")
cli.add_typer(api_keys.commands, name="api-keys")
cli.add_typer(customer_api.commands, name="customer-api")
cli.add_typer(grants.commands, name="grants")
cli.add_typer(keys.commands, name="keys")
cli.add_typer(products.commands, name="products")
cli.add_typer(webhooks.commands, name="webhooks")

__all__ = ["cli"]
