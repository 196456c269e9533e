"""The Customer API: a customer's program finds products, orders, and lists orders, with the customer's own password."""

from authsrv.dialects.customer_api.orders import list_all, send
from authsrv.dialects.customer_api.products import find
from authsrv.dialects.customer_api.token import token
from authsrv.dialects.customer_api.voice import token_voice, voice
from authsrv.web.doors import Door
from authsrv.web.voices import Voice

_TOKEN = "/api/customer/oauth/access-token"

DOORS: tuple[Door, ...] = (
    Door(_TOKEN, {"POST": token}, cors=True, at_stores=True),
    Door("/api/customer/products", {"GET": find}, cors=True, at_stores=True),
    Door("/api/customer/orders", {"GET": list_all, "POST": send}, cors=True, at_stores=True),
)
VOICES: tuple[tuple[str, Voice], ...] = ((_TOKEN, token_voice), ("/api/customer", voice))
