"""A store's orders, as many as a busy shop has after a year: listed at any depth, they have to cost the same."""

from sqlalchemy import insert

from authsrv.storage.orders import Order, OrderLine
from authsrv.storage.products import ProductValues, save_product
from authsrv.storage.stores import Store
from authsrv.storage.unit import Unit

ORDERS = 100_000
_CUSTOMERS = 1_000
_STATUSES = ("delivered", "delivered", "delivered", "shipped", "processing", "pending", "cancelled")
_ADDRESS = {"street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "91234", "country": "USA"}


def add_orders(unit: Unit, store: Store) -> list[str]:
    """Their ids, oldest first. Plain rows, of two lines each: models would take a minute to make."""
    values = ProductValues(product_id="A100", code="C-A100", brand="Harbour", name="Mug", price_minor=1400, stock=10)
    product = save_product(unit, store.id, values)
    ids = [unit.new_id() for _ in range(ORDERS)]
    now = unit.now()
    same = {
        "store_id": store.id,
        "currency": "USD",
        "total_minor": 2800,
        "shipping_address": _ADDRESS,
        "payment_method": "paypal",
        "placed_by": "service-0",
        "created_at": now,
        "updated_at": now,
    }
    orders = [
        {**same, "id": order_id, "customer_id": str(at % _CUSTOMERS), "status": _STATUSES[at % len(_STATUSES)]}
        for at, order_id in enumerate(ids)
    ]
    line = {"product_row_id": product.id, "product_id": "A100", "name": "Mug", "quantity": 1, "price_minor": 1400}
    unit.session.execute(insert(Order), orders)
    unit.session.execute(
        insert(OrderLine), [{"order_id": each, "position": at, **line} for each in ids for at in (0, 1)]
    )
    return [str(each) for each in ids]
