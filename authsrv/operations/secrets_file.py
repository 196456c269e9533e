"""The server's secret keys: from the settings, or on SQLite from a file beside the database, made at first need."""

import os
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from authsrv.kit.entropy import Entropy
from authsrv.kit.secret_keys import SecretKeys
from authsrv.settings import Settings, SettingsError

FILE_NAME = "secret_keys"


def secret_keys_of(settings: Settings, entropy: Entropy) -> SecretKeys:
    """The keys. Raises SettingsError when there are none, or one is too short."""
    texts = settings.secret_texts
    if not texts and settings.is_sqlite:
        texts = (_read_or_make(secrets_path(settings), entropy),)
    try:
        return SecretKeys(texts)
    except ValueError as fault:
        raise SettingsError(f"secret_keys: {fault}; set AUTHSRV_SECRET_KEYS") from None


def secrets_path(settings: Settings) -> Path:
    """Where the generated secret lies: beside the SQLite database."""
    return Path(make_url(settings.database_url.get_secret_value()).database or "").parent / FILE_NAME


def _read_or_make(path: Path, entropy: Entropy) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        secret = urlsafe_b64encode(entropy.token_bytes(48)).decode("ascii")
        draft = path.with_name(f".{FILE_NAME}.{entropy.token_bytes(8).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
        # Of several processes that start at once, the first link wins and the others read what it wrote.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
