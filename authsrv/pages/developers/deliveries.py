"""What a webhook was sent: the request, every answer with how long it took; and sending again, one or many."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import parse_uuid
from authsrv.pages.developers.frame import app_path, show_app
from authsrv.pages.developers.guard import Developing, app_action, app_page, change_app
from authsrv.storage.clients import Client
from authsrv.storage.deliveries import Delivery, find_delivery, list_deliveries, redeliver
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import DeliveryAttempt, Webhook, find_app_webhook, list_attempts
from authsrv.web.fields import Fields
from authsrv.web.runtime import runtime_of
from authsrv.web.templates import redirect

PAGE = 25


def state_of(delivery: Delivery) -> str:
    """`waiting`, `failed` or `delivered`."""
    if delivery.done_at is None:
        return "waiting"
    return "failed" if delivery.last_error else "delivered"


def deliveries_of(unit: Unit, webhook: Webhook, before: UUID | None) -> dict[str, Any]:
    """A page of a webhook's deliveries, as its template lists them."""
    rows = list_deliveries(unit, webhook.id, PAGE + 1, before)
    shown = rows[:PAGE]
    return {
        "deliveries": [(delivery, state_of(delivery)) for delivery in shown],
        "has_more": len(rows) > PAGE,
        "last": shown[-1].id if shown else None,
    }


@app_page
async def show(request: Request, developing: Developing) -> Response:
    """One delivery with all its tries."""

    def look(unit: Unit) -> tuple[Webhook, Delivery, list[DeliveryAttempt]]:
        webhook, delivery = _get(unit, developing.client, request)
        return webhook, delivery, list_attempts(unit, delivery.id)

    webhook, delivery, attempts = await runtime_of(request).database.transact(look, read_only=True)
    return show_app(
        request,
        developing,
        "developers/delivery.html",
        tab="webhooks",
        webhook=webhook,
        path=webhook_path(request, developing),
        delivery=delivery,
        state=state_of(delivery),
        attempts=attempts,
    )


@app_action
async def send_again(request: Request, developing: Developing, form: Fields) -> Response:
    """One delivery, or all that were made since a time, under their old ids."""
    since = _since(form.one("since"), runtime_of(request).clock.now())

    def work(unit: Unit, client: Client) -> int:
        webhook, _ = get_webhook(unit, client, request)
        if typed := form.one("delivery"):
            chosen = parse_uuid(typed)
            return redeliver(unit, webhook.id, delivery_id=chosen) if chosen else 0
        return redeliver(unit, webhook.id, since=since) if since else 0

    count = await change_app(request, developing, work)
    return redirect(
        request, webhook_path(request, developing), done="webhook_redelivered" if count else "webhook_nothing"
    )


def _since(text: str, now: datetime) -> datetime | None:
    """Hours back from now, as the form offers them, or a time as `datetime-local` sends it, UTC."""
    if text.isdecimal() and len(text) <= 4:
        return now - timedelta(hours=int(text))
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment else None


def webhook_path(request: Request, developing: Developing) -> str:
    """Where the page of the webhook is that the path names."""
    return app_path(developing.client.client_id, f"/webhooks/{request.path_params['webhook']}")


def get_webhook(unit: Unit, client: Client, request: Request) -> tuple[Webhook, str]:
    """The app's webhook that the path names, and its store's prefix. Raises not_found."""
    webhook_id = parse_uuid(request.path_params["webhook"])
    found = find_app_webhook(unit, client.id, webhook_id) if webhook_id else None
    if found is None:
        raise DomainError("not_found", 404, "There is no such webhook.")
    return found


def _get(unit: Unit, client: Client, request: Request) -> tuple[Webhook, Delivery]:
    webhook, _ = get_webhook(unit, client, request)
    delivery_id = parse_uuid(request.path_params["delivery"])
    delivery = find_delivery(unit, webhook.id, delivery_id) if delivery_id else None
    if delivery is None:
        raise DomainError("not_found", 404, "There is no such delivery.")
    return webhook, delivery
