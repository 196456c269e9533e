"""A protocol request as the engine reads it: plain values, no socket; its URL comes from the issuer setting."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload, OAuth2Request

from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.manners import STANDARD_TERMS, Terms
from authsrv.storage.unit import Unit

if TYPE_CHECKING:
    from authsrv.oauth.client_authentication import Proof

# RFC 8707, 2: the one parameter that may be sent more than once.
_MAY_REPEAT = frozenset({"resource"})


class FormPayload(OAuth2Payload):  # type: ignore[misc]  # Authlib carries no types
    """The parameters, each with all its values; `data` is the first of each."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        lists: dict[str, list[str]] = {}
        for name, value in pairs:
            # RFC 6749, 3.1 and 3.2: a parameter without a value counts as absent.
            if value:
                lists.setdefault(name, []).append(value)
        self._lists = lists
        self._first = {name: values[0] for name, values in lists.items()}

    @property
    def data(self) -> dict[str, str]:
        return self._first

    @property
    def datalist(self) -> dict[str, list[str]]:
        return self._lists


class ProtocolRequest(OAuth2Request):  # type: ignore[misc]  # Authlib carries no types
    """A request below the seam, with the unit it is answered in."""

    def __init__(
        self,
        unit: Unit,
        *,
        method: str,
        uri: str,
        headers: Mapping[str, str],
        form: Sequence[tuple[str, str]],
        terms: Terms = STANDARD_TERMS,
        vouched: RegisteredClient | None = None,
        proof: "Proof | None" = None,
    ) -> None:
        """Raises InvalidRequestError for a repeated parameter (RFC 6749, 3.2).

        `vouched` is a client that the house itself speaks for: it need not authenticate. No door sets it from what it
        was sent. `proof` is what the door found out about how the client authenticates.
        """
        # Authlib's own constructor looks for https at every request; the URI is the issuer's, judged by the settings.
        self.method = method
        self.uri = uri
        self.headers = headers
        self.client: Any = None
        self.auth_method: str | None = None
        self.unit = unit
        self.terms = terms
        self.vouched = vouched
        self.proof = proof
        self.payload = FormPayload(form)
        self._form = self.payload.data
        if len(self._form) == len(form):
            return  # none twice, none empty
        for name, values in self.payload.datalist.items():
            if len(values) > 1 and name not in _MAY_REPEAT:
                raise InvalidRequestError(f"Parameter {_printable(name)} is repeated.")

    @property
    def form(self) -> dict[str, str]:
        return self._form

    @property
    def resources(self) -> list[str]:
        """The `resource` parameters (RFC 8707, 2)."""
        return self.payload.datalist.get("resource", [])


def read_basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Client id and secret of a Basic Authorization header, form-decoded (RFC 6749, 2.3.1), or None.

    Raises ValueError for one that cannot be read.
    """
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    # What base64 or UTF-8 find wrong is a ValueError as well.
    text = b64decode(credentials.strip(), validate=True).decode("utf-8")
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise ValueError("Basic credentials without a colon")
    if "%" in text or "+" in text:
        return unquote_plus(client_id), unquote_plus(secret)
    return client_id, secret


def _printable(name: str) -> str:
    """A parameter's name as an error may repeat it (RFC 6749, 5.2 allows few characters)."""
    kept: Any = (char for char in name if char.isascii() and (char.isalnum() or char in "_-."))
    return "".join(kept)[:40]
