"""Vend's API as point-of-sale apps know it: connect on the central host, tokens and resources on the store's own."""

from authsrv.dialects.vend.connect import connect
from authsrv.dialects.vend.products import list_all, read
from authsrv.dialects.vend.token import token
from authsrv.dialects.vend.users import list_users
from authsrv.dialects.vend.voice import voice
from authsrv.web.doors import Door
from authsrv.web.voices import Voice

DOORS: tuple[Door, ...] = (
    Door("/connect", {"GET": connect}),
    Door("/api/1.0/token", {"POST": token}, cors=True, at_stores=True),
    Door("/api/products", {"GET": list_all}, cors=True, at_stores=True),
    Door("/api/products/{product_id}", {"GET": read}, cors=True, at_stores=True),
    Door("/api/users", {"GET": list_users}, cors=True, at_stores=True),
)
VOICES: tuple[tuple[str, Voice], ...] = (("/api/1.0", voice), ("/api/products", voice), ("/api/users", voice))
