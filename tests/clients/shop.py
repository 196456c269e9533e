"""The server as its clients know it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Nobody is there: the person's browser is stopped at the door, and the client is handed the address.
CALLBACK = "https://app.example/callback"
AFTER_LOGOUT = "https://app.example/signed-out"
SCOPE = "openid profile email offline_access orders:read"


@dataclass(frozen=True)
class Registered:
    """An app's credentials; a public one has no secret."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Shop:
    """A running server: its issuer, the folder it runs in, and its discovery document."""

    url: str
    folder: Path
    endpoints: dict[str, Any]
