"""What an order's method and status tell of its payment: no money passes through here, so there is nothing else."""

ON_ACCOUNT = "invoice"
# Methods that a shop has been paid by before it begins to work on the order.
_PAID_BEFORE = frozenset({"credit_card", "paypal"})
_WORKED_ON = frozenset({"processing", "shipped", "delivered"})


def payment_status(method: str, status: str) -> str:
    """`pending`, `paid` or `cancelled`; an invoice stays pending, since its payment goes past this server."""
    if status == "cancelled":
        return "cancelled"
    return "paid" if method in _PAID_BEFORE and status in _WORKED_ON else "pending"
