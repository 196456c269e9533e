"""Between a request that is in order and its code: who must sign in, who must be asked, and the grant that results.

Consent given before is a living grant that covers the scopes; there is no other memory of it (OIDC Core 3.1.2.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from authsrv.identity.sessions import SignedIn
from authsrv.identity.stores import KnownStore, StoreDirectory
from authsrv.identity.subjects import session_name_for, subject_for
from authsrv.oauth.authorization import AuthorizationRefused, AuthorizationRequest
from authsrv.oauth.clients import RegisteredClient
from authsrv.oauth.connecting import NoStoreOfTheirs, connect
from authsrv.oauth.id_tokens import IdTokens
from authsrv.settings import TokenSettings
from authsrv.storage.connections import add_connected_grant
from authsrv.storage.grants import Grant, StoreConsent, add_grant, list_consents, list_store_consents
from authsrv.storage.unit import Unit
from authsrv.storage.users import find_user_by_id, join_store

# Not a choice of the person's: without it the request would not be a sign-in at all.
_REQUIRED = frozenset({"openid"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where the grant will hold: the store, if the request settles it, else those to choose from."""

    store: KnownStore | None
    choices: tuple[KnownStore, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A signed-in person's standing to a request: where it would hold, and whether they must be asked."""

    place: Place
    needs_consent: bool


class Consents:
    """Judges a request against the person at the browser; the doors make pages and redirects of it."""

    def __init__(
        self, *, stores: StoreDirectory, id_tokens: IdTokens, lifetimes: TokenSettings, default_store: str
    ) -> None:
        self._stores = stores
        self._default_store = default_store
        self._id_tokens = id_tokens
        self._lifetimes = lifetimes

    def needs_sign_in(
        self, asked: AuthorizationRequest, signed_in: SignedIn | None, fresh_since: datetime | None, now: datetime
    ) -> bool:
        """Whether the person must sign in (again). `fresh_since`: a sign-in after that has answered the request's wish.

        Raises AuthorizationRefused `login_required` where the client wants no page shown (OIDC Core 3.1.2.6).
        """
        needs = signed_in is None or self._wants_fresh(asked, signed_in, fresh_since, now)
        if needs and "none" in asked.prompt:
            raise AuthorizationRefused("login_required", "The person must sign in.", asked.back)
        return needs

    def standing(
        self, unit: Unit, asked: AuthorizationRequest, signed_in: SignedIn, named: KnownStore | None
    ) -> Standing:
        """Whether the person must be asked, in one statement. `named` is the store that host or path name, if any.

        Raises AuthorizationRefused `consent_required` where the client wants no page shown, NoStoreOfTheirs where only
        who runs a store can answer, and the person runs none.
        """
        client = asked.client
        settled = self._stores.find(unit, client.store) if client.store else named
        if client.store and settled is None:
            # Never another store in its place.
            raise AuthorizationRefused("server_error", "The client's store is not there.", asked.back)
        if asked.back.manner.roles:
            standing = self._of_worker(unit, asked, signed_in, settled)
        elif settled is not None:
            given = list_consents(unit, signed_in.user_id, client.row_id, settled.id)
            standing = Standing(Place(settled), _is_uncovered(asked, given))
        else:
            standing = self._of_member(unit, asked, signed_in)
        if standing.needs_consent and "none" in asked.prompt:
            raise AuthorizationRefused("consent_required", "The person must be asked.", asked.back)
        return standing

    def grant(
        self,
        unit: Unit,
        asked: AuthorizationRequest,
        signed_in: SignedIn,
        *,
        store: KnownStore | None,
        scopes: Sequence[str],
        grant_id: UUID,
    ) -> Grant | None:
        """Stores the grant whose code goes back; None when `grant_id` was used before (a consent form sent twice).

        Raises StoresFull where the client may be connected to no store more.
        """
        client, now = asked.client, unit.now()
        lives = timedelta(seconds=client.grant_seconds or self._lifetimes.grant_seconds)
        manner = asked.back.manner
        code_lives = timedelta(seconds=client.code_seconds or manner.code_seconds or self._lifetimes.code_seconds)
        grant = Grant(
            id=grant_id,
            user_id=signed_in.user_id,
            client_id=client.row_id,
            store_id=store.id if store else None,
            session_id=signed_in.session_id,
            scope=" ".join(scopes),
            requested_scope=" ".join(asked.scopes),
            audience=list(asked.resources or manner.audience) or None,
            claims=asked.claims,
            auth_time=signed_in.auth_time,
            amr=" ".join(signed_in.amr),
            nonce=asked.nonce,
            redirect_uri=asked.sent_redirect_uri,
            code_challenge=asked.code_challenge,
            is_refreshable=asked.wants_refresh_token(scopes),
            created_at=now,
            code_expires_at=now + code_lives,
            expires_at=now + lives,
        )
        return grant if _store(unit, asked, grant, store) else None

    def refuse(
        self, unit: Unit, asked: AuthorizationRequest, signed_in: SignedIn, *, grant_id: UUID, lives: timedelta
    ) -> None:
        """Stores a grant that is dead from the start, and takes `grant_id`: a form that said no never says yes."""
        now = unit.now()
        dead = Grant(
            id=grant_id,
            user_id=signed_in.user_id,
            client_id=asked.client.row_id,
            scope="",
            requested_scope="",
            auth_time=signed_in.auth_time,
            created_at=now,
            revoked_at=now,
            expires_at=now + lives,
        )
        add_grant(unit, dead)

    def _wants_fresh(
        self, asked: AuthorizationRequest, signed_in: SignedIn, fresh_since: datetime | None, now: datetime
    ) -> bool:
        if fresh_since is not None and signed_in.auth_time >= fresh_since:
            return False
        too_old = asked.max_age is not None and now - signed_in.auth_time > timedelta(seconds=asked.max_age)
        return too_old or not asked.prompt.isdisjoint({"login", "select_account"})

    def is_hinted(self, unit: Unit, asked: AuthorizationRequest, signed_in: SignedIn) -> bool:
        """Whether the person who is signed in is the one the request speaks of, if any (OIDC Core 3.1.2.1).

        It may do so by an `id_token_hint`, or by a value for `sub` in `claims`.
        """
        hint = next((value for name, value in asked.parameters if name == "id_token_hint" and value), None)
        if hint is None and asked.wanted_subject is None:
            return True
        subject = self.subject_of(unit, signed_in.user_id, asked.client)
        claims = self._id_tokens.read_hint(hint) if hint else {"sub": subject}
        return claims is not None and claims.get("sub") == subject == (asked.wanted_subject or subject)

    def subject_of(self, unit: Unit, user_id: UUID, client: RegisteredClient) -> str:
        """The person's `sub` for this client."""
        if client.sector is None:
            return subject_for(user_id, None, None)
        user = find_user_by_id(unit, user_id)
        return subject_for(user_id, user.subject_salt if user else None, client.sector)

    def _of_worker(
        self, unit: Unit, asked: AuthorizationRequest, signed_in: SignedIn, settled: KnownStore | None
    ) -> Standing:
        """Only stores in which the person is what it takes, to choose from where there are several."""
        roles = asked.back.manner.roles
        consents, _ = list_store_consents(unit, signed_in.user_id, asked.client.row_id)
        theirs = [consent for consent in consents if consent.role in roles]
        if settled is not None:
            theirs = [consent for consent in theirs if consent.store_id == settled.id]
        if not theirs:
            raise NoStoreOfTheirs(asked)
        return _standing_in(asked, theirs)

    def session_name_of(self, unit: Unit, signed_in: SignedIn, client: RegisteredClient) -> str:
        """The session's `sid` for this client."""
        user = find_user_by_id(unit, signed_in.user_id)
        return session_name_for(signed_in.session_id, user.subject_salt if user else None, client.session_sector)

    def _of_member(self, unit: Unit, asked: AuthorizationRequest, signed_in: SignedIn) -> Standing:
        """No store is named: the person's own, to choose from where there are several (always asked then)."""
        consents, given = list_store_consents(unit, signed_in.user_id, asked.client.row_id)
        if not consents:
            # Who belongs to no store yet becomes a customer of the one on this host.
            own = self._stores.find(unit, self._default_store) if self._default_store else None
            return Standing(Place(own), needs_consent=True if own else _is_uncovered(asked, given))
        return _standing_in(asked, consents)


def required_scopes(asked: AuthorizationRequest) -> frozenset[str]:
    """Those of the request that the person cannot untick."""
    return _REQUIRED & set(asked.scopes)


def chosen_scopes(asked: AuthorizationRequest, ticked: Sequence[str]) -> list[str]:
    """What was asked for and allowed, in the order asked."""
    allowed = required_scopes(asked) | set(ticked)
    return [scope for scope in asked.scopes if scope in allowed]


def welcome_customer(unit: Unit, signed_in: SignedIn, store: KnownStore | None) -> None:
    """Who lets an app act for them in a store is at least a customer there."""
    if store is not None:
        join_store(unit, store_id=store.id, user_id=signed_in.user_id)


def _store(unit: Unit, asked: AuthorizationRequest, grant: Grant, store: KnownStore | None) -> bool:
    if store is None:
        return add_grant(unit, grant)
    if add_connected_grant(unit, grant):
        return True
    # Not connected yet, unless the grant is there already; either way this settles it.
    connect(unit, asked, store)
    return add_connected_grant(unit, grant)


def _standing_in(asked: AuthorizationRequest, consents: Sequence[StoreConsent]) -> Standing:
    """In the stores these are of, at least one."""
    stores = tuple(dict.fromkeys(KnownStore(c.store_id, c.prefix, c.name, c.currency) for c in consents))
    if len(stores) > 1:
        return Standing(Place(None, stores), needs_consent=True)
    # What the manner adds to the scopes, the page of another door did not tell.
    told = set(asked.back.manner.audience)
    given = [(one.scope, one.created_at) for one in consents if one.created_at and told <= set(one.audience or ())]
    return Standing(Place(stores[0]), _is_uncovered(asked, given))


def _is_uncovered(asked: AuthorizationRequest, given: Sequence[tuple[str, datetime]]) -> bool:
    """Whether no consent given before covers the request, or it must be asked for again whatever was given."""
    if asked.must_ask():
        return True
    return not any(
        set(asked.scopes) <= set(scope.split()) and _is_after_change(asked.client, created_at)
        for scope, created_at in given
    )


def _is_after_change(client: RegisteredClient, created_at: datetime) -> bool:
    """A consent to an app of another name or other redirect URIs is a consent to another app."""
    return client.consent_changed_at is None or created_at > client.consent_changed_at
