"""`authsrv webhooks`: who is told of what happens to a store's orders."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from authsrv.identity.emails import normal_email
from authsrv.identity.stores import known_store
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.operations.commands.app_rows import get_app
from authsrv.operations.commands.running import ACTOR, AsJson, Tools, run, show_many, show_one
from authsrv.operations.commands.store_rows import get_store
from authsrv.shop.webhooks import Webhooks
from authsrv.storage.deliveries import Delivery, list_deliveries, redeliver
from authsrv.storage.stores import find_store_by_id
from authsrv.storage.unit import Unit
from authsrv.storage.users import add_user, find_user
from authsrv.storage.webhooks import Webhook, find_webhook, list_attempts, list_webhooks

commands = typer.Typer(help="Who is told of orders.", no_args_is_help=True)

_ONCE = "Keep the secret now: it will not be shown again."
WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]


@commands.callback()
def group() -> None:
    """Who is told of orders."""


@commands.command("create")
def create(
    url: Annotated[str, typer.Argument(help="Where messages are posted; https.")],
    store: Annotated[str, typer.Option(help="Prefix of the store.")],
    event: Annotated[list[str] | None, typer.Option(help="May repeat; all events when left out.")] = None,
    developer: Annotated[str | None, typer.Option(help="Told by mail when it is switched off.")] = None,
    app: Annotated[str | None, typer.Option(help="The app it belongs to, by client_id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add an endpoint; its secret is shown here and never again."""

    def work(unit: Unit, tools: Tools) -> dict[str, Any]:
        found = known_store(get_store(unit, store))
        email = normal_email(developer) if developer else None
        user = (find_user(unit, email) or add_user(unit, email=email)) if email else None
        webhook, secret = _webhooks(tools).create(
            unit,
            found,
            url,
            event or [],
            developer_id=user.id if user else None,
            actor=ACTOR,
            app=get_app(unit, app) if app else None,
        )
        return _described(unit, webhook, secret)

    show_one(run(work), as_json=as_json, note=_ONCE)


@commands.command("list")
def list_all(store: Annotated[str, typer.Option(help="Prefix of the store.")], as_json: AsJson = False) -> None:
    """A store's endpoints, newest first."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        found = get_store(unit, store)
        return [_described(unit, webhook) for webhook in list_webhooks(unit, found.id)]

    columns = ("id", "url", "events", "status", "failing_since")
    show_many(run(work), as_json=as_json, columns=columns, nothing="No webhooks.")


@commands.command("ping")
def ping(webhook_id: WebhookId, as_json: AsJson = False) -> None:
    """Send a test message."""
    _with(webhook_id, lambda unit, tools, webhook: _delivery(unit, _webhooks(tools).ping(unit, webhook)), as_json)


@commands.command("rotate-secret")
def rotate(webhook_id: WebhookId, as_json: AsJson = False) -> None:
    """A new secret, shown once; the old one signs too for 24 hours."""

    def work(unit: Unit, tools: Tools, webhook: Webhook) -> dict[str, Any]:
        return _described(unit, webhook, _webhooks(tools).rotate_secret(unit, webhook, actor=ACTOR))

    _with(webhook_id, work, as_json, note=_ONCE)


@commands.command("change")
def change(
    webhook_id: WebhookId,
    url: Annotated[str | None, typer.Option(help="The new address; what still waits goes there too.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="May repeat; these and no others.")] = None,
    as_json: AsJson = False,
) -> None:
    """Another address, or other events."""
    if url is None and not event:
        raise typer.BadParameter("name --url or --event.")

    def work(unit: Unit, tools: Tools, webhook: Webhook) -> dict[str, Any]:
        _webhooks(tools).change(unit, webhook, url or webhook.url, event or webhook.events, actor=ACTOR)
        return _described(unit, webhook)

    _with(webhook_id, work, as_json)


@commands.command("disable")
def disable(webhook_id: WebhookId, as_json: AsJson = False) -> None:
    """Switch an endpoint off until it is enabled again."""

    def work(unit: Unit, tools: Tools, webhook: Webhook) -> dict[str, Any]:
        _webhooks(tools).disable(unit, webhook, actor=ACTOR)
        return _described(unit, webhook)

    _with(webhook_id, work, as_json)


@commands.command("enable")
def enable(webhook_id: WebhookId, as_json: AsJson = False) -> None:
    """Switch an endpoint on again."""

    def work(unit: Unit, tools: Tools, webhook: Webhook) -> dict[str, Any]:
        _webhooks(tools).enable(unit, webhook, actor=ACTOR)
        return _described(unit, webhook)

    _with(webhook_id, work, as_json)


@commands.command("delete")
def delete(webhook_id: WebhookId, as_json: AsJson = False) -> None:
    """Remove an endpoint; nothing more is sent to it."""

    def work(unit: Unit, tools: Tools, webhook: Webhook) -> dict[str, Any]:
        _webhooks(tools).remove(unit, webhook, actor=ACTOR)
        return {"id": str(webhook.id), "deleted": True}

    _with(webhook_id, work, as_json)


@commands.command("deliveries")
def deliveries(
    webhook_id: WebhookId,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """What was sent and what came back, newest first."""

    def work(unit: Unit, _: Tools) -> list[dict[str, Any]]:
        webhook = _get(unit, webhook_id)
        return [_delivery(unit, delivery) for delivery in list_deliveries(unit, webhook.id, limit)]

    columns = ("id", "event_body", "status", "attempts", "last_status", "last_error", "created_at")
    show_many(run(work), as_json=as_json, columns=columns, nothing="Nothing was sent yet.")


@commands.command("redeliver")
def send_again(
    webhook_id: WebhookId,
    delivery: Annotated[str | None, typer.Option(help="Only this one, by its id.")] = None,
    since: Annotated[datetime | None, typer.Option(help="All made since then (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Send again, under the same webhook-id: one delivery, or all since a time."""
    if (delivery is None) == (since is None):
        raise typer.BadParameter("name one of --delivery and --since.")

    def work(unit: Unit, _: Tools, webhook: Webhook) -> dict[str, Any]:
        chosen = parse_uuid(delivery) if delivery else None
        begin = since.replace(tzinfo=UTC) if since and since.tzinfo is None else since
        count = redeliver(unit, webhook.id, delivery_id=chosen, since=begin) if chosen or begin else 0
        if not count:
            raise DomainError("not_found", 404, "There is no such delivery.")
        return {"id": str(webhook.id), "redelivered": count}

    _with(webhook_id, work, as_json)


def _with(
    webhook_id: str,
    work: Callable[[Unit, Tools, Webhook], dict[str, Any]],
    as_json: bool,
    note: str = "",
) -> None:
    show_one(run(lambda unit, tools: work(unit, tools, _get(unit, webhook_id))), as_json=as_json, note=note)


def _get(unit: Unit, webhook_id: str) -> Webhook:
    row_id = parse_uuid(webhook_id)
    webhook = find_webhook(unit, row_id) if row_id else None
    if webhook is None:
        raise DomainError("not_found", 404, f"There is no webhook {webhook_id}.")
    return webhook


def _webhooks(tools: Tools) -> Webhooks:
    return Webhooks(tools.vault("webhook secret"), tools.entropy, allow_loopback=tools.settings.webhook_allow_loopback)


def _described(unit: Unit, webhook: Webhook, secret: str | None = None) -> dict[str, Any]:
    store = find_store_by_id(unit, webhook.store_id)
    return {
        "id": str(webhook.id),
        **({"secret": secret} if secret else {}),
        "url": webhook.url,
        "store": store.prefix if store else None,
        "events": webhook.events,
        "status": "off" if webhook.disabled_at else "on",
        "failing_since": webhook.failing_since.isoformat() if webhook.failing_since else None,
        "created_at": webhook.created_at.isoformat(),
    }


def _delivery(unit: Unit, delivery: Delivery) -> dict[str, Any]:
    status = "waiting" if delivery.done_at is None else "failed" if delivery.last_error else "delivered"
    return {
        "id": str(delivery.id),
        "event_body": delivery.body,
        "status": status,
        "attempts": delivery.attempts,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
        "created_at": delivery.created_at.isoformat(),
        "due_at": delivery.due_at.isoformat(),
        "log": [
            {
                "at": attempt.created_at.isoformat(),
                "status": attempt.status,
                "error": attempt.error,
                "milliseconds": attempt.milliseconds,
                "answer": attempt.answer,
            }
            for attempt in list_attempts(unit, delivery.id)
        ],
    }
