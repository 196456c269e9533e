"""What happens to orders, told to the webhooks that listen: written in the transaction of the change itself."""

from datetime import datetime, timedelta

import orjson

from authsrv.storage.deliveries import Delivery, add_delivery
from authsrv.storage.orders import Order
from authsrv.storage.unit import Unit
from authsrv.storage.webhooks import Webhook, list_listening

EVENTS = ("order.created", "order.updated", "order.cancelled")
PING = "ping"
KIND = "webhook"
# Longer than the tries of a delivery last, so that a person can look at it afterwards and send it again.
KEPT = timedelta(days=30)


def tell(unit: Unit, order: Order, event: str) -> None:
    """Queues the event for every webhook of the store that wants it."""
    for webhook in list_listening(unit, order.store_id, event):
        queue(unit, webhook, event_body(order, event), topic=str(order.id))


def queue(unit: Unit, webhook: Webhook, body: bytes, topic: str | None) -> Delivery:
    """One delivery to one webhook; due at once."""
    now = unit.now()
    delivery = Delivery(
        id=unit.new_id(),
        kind=KIND,
        client_id="",
        webhook_id=webhook.id,
        topic=topic,
        url=webhook.url,
        body=body.decode(),
        due_at=now,
        created_at=now,
        expires_at=now + KEPT,
    )
    add_delivery(unit, delivery)
    return delivery


def event_body(order: Order, event: str) -> bytes:
    """The body, exactly as the guide prints it."""
    return orjson.dumps(
        {
            "event": event,
            "data": {"order_id": str(order.id), "status": order.status, "updated_at": timestamp(order.updated_at)},
        }
    )


def timestamp(moment: datetime) -> str:
    """RFC 3339, in UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
