"""The kiosk's API: a token for a key and a pass, and what is in stock, as lines of text."""

from authsrv.dialects.kiosk.stock import stock
from authsrv.dialects.kiosk.token import token
from authsrv.dialects.kiosk.voice import voice

from authsrv.web.doors import Door
from authsrv.web.voices import Voice

DOORS: tuple[Door, ...] = (
    Door("/api/kiosk/token", {"POST": token}, at_stores=True),
    Door("/api/kiosk/stock/{product_id}", {"GET": stock}, at_stores=True),
)
VOICES: tuple[tuple[str, Voice], ...] = (("/api/kiosk", voice),)
