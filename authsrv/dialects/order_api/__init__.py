"""The Order API: orders as JSON, behind a bearer credential, and its reference."""

from authsrv.dialects.order_api.orders import cancel, create, list_all, read, update
from authsrv.dialects.order_api.reference import document, reference
from authsrv.dialects.order_api.voice import voice
from authsrv.web.doors import Door
from authsrv.web.voices import Voice

DOORS: tuple[Door, ...] = (
    Door("/orders", {"GET": list_all, "POST": create}, cors=True, at_stores=True),
    Door("/orders/{order_id}", {"GET": read, "PUT": update, "DELETE": cancel}, cors=True, at_stores=True),
    Door("/openapi.json", {"GET": document}, cors=True, at_stores=True),
    Door("/docs", {"GET": reference}, at_stores=True),
)
VOICES: tuple[tuple[str, Voice], ...] = (("/orders", voice),)
