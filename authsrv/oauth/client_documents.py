"""Clients that are described by a document at the URL that is their client_id.

draft-ietf-oauth-client-id-metadata-document-02. A document is fetched above the seam, before the request is judged, and
kept; below the seam nothing waits. The client gets a row with the first grant, and the document's word counts over it.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import structlog

from authsrv.kit.clock import Clock
from authsrv.kit.errors import DomainError
from authsrv.kit.identifiers import named_uuid
from authsrv.kit.outbound import Fetched, OutboundError
from authsrv.kit.public_keys import read_public_keys
from authsrv.oauth.client_metadata import read_metadata
from authsrv.oauth.clients import ClientDirectory, RegisteredClient
from authsrv.oauth.registering import apply_metadata, begin_registration
from authsrv.oauth.registration import NewClient, create_client_once, judge_client, judge_web_uri, refused
from authsrv.oauth.scopes import ScopeCatalogue, split_scope
from authsrv.settings import is_loopback_host
from authsrv.storage.clients import DOCUMENT, find_client
from authsrv.storage.unit import Unit

log = structlog.get_logger(__name__)

# A URL to the JSON document there and its headers. Raises OutboundError.
FetchDocument: TypeAlias = Callable[[str, int], Awaitable[Fetched]]

# The draft's own proposal (8.7).
LONGEST_DOCUMENT = 5 * 1024
_LONGEST_URL = 512
_KEPT = 1000
_FRESH_SECONDS = 600.0
# What the document's server says of its freshness counts within these bounds.
_SHORTEST_SECONDS, _LONGEST_SECONDS = 60.0, 86_400.0
_AFTER_FAILURE_SECONDS = 10.0
# While its server is away a client can go on, but not for long.
_USABLE_SECONDS = 3600.0
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})")
# The draft, 4.1: there is no secret that the document and this server could share.
_SECRETS = ("client_secret", "client_secret_expires_at")
_METHODS = ("none", "private_key_jwt")
# What the document decides; the rest an operator does.
_DOCUMENTED = (
    "name",
    "type",
    "scopes",
    "grant_types",
    "redirect_uris",
    "post_logout_redirect_uris",
    "backchannel_logout_uri",
    "auth_method",
    "keys",
    "jwks_uri",
    "id_token_alg",
    "userinfo_alg",
    "subject_type",
    "client_uri",
    "policy_uri",
    "tos_uri",
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the document said, if it could be used; not to be asked for again before `again_at`. Monotonic seconds."""

    new: NewClient | None
    again_at: float
    usable_until: float


class ClientDocuments:
    """Which clients are described by documents; `prepare` is called first, where waiting is allowed."""

    def __init__(
        self, fetch: FetchDocument, scopes: ScopeCatalogue, clock: Clock, *, is_on: bool, allow_loopback: bool
    ) -> None:
        """`allow_loopback`: whether a document may be on this machine, by plain http too."""
        self._fetch = fetch
        self._scopes = scopes
        self._clock = clock
        self._is_on = is_on
        self._allow_loopback = allow_loopback
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def names(self, client_id: str) -> bool:
        """Whether this is the URL of a document, and documents are taken."""
        return self._is_on and is_document_url(client_id, allow_loopback=self._allow_loopback)

    def is_due(self, client_id: str) -> bool:
        """Whether the document must be fetched."""
        kept = self._kept.get(client_id)
        return kept is None or self._clock.monotonic() >= kept.again_at

    def recall(self, client_id: str) -> NewClient | None:
        """What the document says, as far as it is known now."""
        kept = self._kept.get(client_id)
        return kept.new if kept is not None and self._clock.monotonic() < kept.usable_until else None

    async def prepare(self, client_id: str) -> None:
        """Fetches the document; of many who want it at once, one does."""
        fetch = self._under_way.get(client_id)
        if fetch is None:
            fetch = self._under_way[client_id] = asyncio.create_task(self._refresh(client_id))
        # Shielded: who hangs up must not take it from the others.
        await asyncio.shield(fetch)

    def find(self, unit: Unit, clients: ClientDirectory, client_id: str) -> RegisteredClient | None:
        """The client of this id, described by a document or not."""
        stored = clients.find(unit, client_id)
        if not self.names(client_id):
            return None if stored is not None and stored.origin == DOCUMENT else stored
        new = self.recall(client_id)
        if new is None:
            return None
        fresh = _described(client_id, new)
        if stored is None:
            return fresh
        # Whoever allowed or approved it knew an app of that name and those addresses.
        is_other = (stored.name, stored.redirect_uris) != (fresh.name, fresh.redirect_uris)
        client = replace(stored, **{name: getattr(fresh, name) for name in _DOCUMENTED})
        return replace(client, is_approved=False, consent_changed_at=unit.now()) if is_other else client

    def keep(self, unit: Unit, client: RegisteredClient) -> None:
        """Gives a described client its row, or writes the document's word into it; others are as they were."""
        new = self.recall(client.client_id) if client.origin == DOCUMENT else None
        if new is None:
            return
        row = find_client(unit, client.client_id)
        if row is None:
            row = create_client_once(
                unit, new, client_id=client.client_id, row_id=client.row_id, actor="document", scopes=self._scopes
            )
            if row is not None:
                begin_registration(unit, row)
                return
            row = find_client(unit, client.client_id)
        if row is None:
            raise DomainError("access_denied", 403, "The app was removed here.")
        # The person who is allowing it now has read the new words.
        apply_metadata(unit, row, new, changed_at=unit.now() - timedelta(microseconds=1))

    async def _refresh(self, client_id: str) -> None:
        now = self._clock.monotonic()
        try:
            fetched = await self._fetch(client_id, LONGEST_DOCUMENT)
            new = read_document(client_id, fetched.document, self._scopes)
            again_at = now + _fresh_seconds(fetched.cache_control)
            self._keep(client_id, _Kept(new, again_at, again_at + _USABLE_SECONDS))
        except (OutboundError, DomainError) as fault:
            log.warning("a client's document cannot be used", client_id=client_id, reason=str(fault))
            before = self._kept.get(client_id, _Kept(None, now, now))
            # A document that says what cannot be is not what it was before.
            kept = replace(before, new=None) if isinstance(fault, DomainError) else before
            self._keep(client_id, replace(kept, again_at=now + _AFTER_FAILURE_SECONDS))
        finally:
            del self._under_way[client_id]

    def _keep(self, client_id: str, kept: _Kept) -> None:
        self._kept[client_id] = kept
        self._kept.move_to_end(client_id)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def is_document_url(text: str, *, allow_loopback: bool) -> bool:
    """Whether a client_id can be the URL of a document (the draft, 3); where it leads is judged when it is fetched."""
    if not text.startswith(("https://", "http://")) or len(text) > _LONGEST_URL:
        return False
    try:
        judge_web_uri(text, "client_id")
    except DomainError:
        return False
    parts = urlsplit(text)
    is_here = is_loopback_host(parts.hostname or "")
    if is_here and not allow_loopback:
        return False
    segments = parts.path.lower().replace("%2e", ".").split("/")
    return parts.path not in {"", "/"} and not {".", ".."} & set(segments)


def read_document(client_id: str, document: Any, scopes: ScopeCatalogue) -> NewClient:
    """The client that the document at this URL describes. Raises DomainError where it describes none, or another."""
    if not isinstance(document, dict):
        raise refused("document", "is not a JSON object")
    # Compared as texts, character by character (RFC 3986, 6.2.1).
    if document.get("client_id") != client_id:
        raise refused("client_id", "is not the URL the document is at")
    if any(name in document for name in _SECRETS):
        raise refused("client_secret", "has no place in a public document")
    new = read_metadata(document, scopes, origin=DOCUMENT, method="none")
    if new.auth_method not in _METHODS:
        raise refused("token_endpoint_auth_method", f"must be one of {', '.join(_METHODS)}")
    judge_client(new, new.grant_types, new.auth_method, scopes)
    return new


def _described(client_id: str, new: NewClient) -> RegisteredClient:
    return RegisteredClient(
        # The same for every process, before there is a row.
        row_id=named_uuid(client_id),
        client_id=client_id,
        name=new.name,
        type=new.type,
        store=None,
        scopes=tuple(split_scope(new.scope)),
        grant_types=frozenset(new.grant_types),
        redirect_uris=tuple(new.redirect_uris),
        auth_method=new.auth_method,
        token_format=new.token_format,
        signing_alg=new.signing_alg,
        is_resource_server=False,
        access_seconds=None,
        is_suspended=False,
        secrets=(),
        post_logout_redirect_uris=tuple(new.post_logout_redirect_uris),
        backchannel_logout_uri=new.backchannel_logout_uri,
        id_token_alg=new.id_token_alg,
        userinfo_alg=new.userinfo_alg,
        subject_type=new.subject_type,
        client_uri=new.client_uri,
        policy_uri=new.policy_uri,
        tos_uri=new.tos_uri,
        keys=read_public_keys(new.jwks),
        jwks_uri=new.jwks_uri,
        origin=DOCUMENT,
    )


def _fresh_seconds(cache_control: str) -> float:
    """RFC 9111, 5.2.2, within our bounds."""
    directives = cache_control.lower()
    if "no-store" in directives or "no-cache" in directives:
        return _SHORTEST_SECONDS
    found = _MAX_AGE.search(directives)
    seconds = float(found[1]) if found else _FRESH_SECONDS
    return min(max(seconds, _SHORTEST_SECONDS), _LONGEST_SECONDS)
