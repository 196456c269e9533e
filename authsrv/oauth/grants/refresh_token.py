"""Refreshing, with a rotation that survives the network (RFC 6749, 6; RFC 9700, 4.14.2).

A refresh token names its generation, the grant's row says which one is current:

- the current one: one compare-and-swap steps forward;
- the one before, its successor unused, within the grace time: the same successor again, for who lost the answer;
- an older one: reuse, and the grant dies in this very transaction;
- a later one, with a good seal (or any of a grant whose code was never redeemed, as far as the row knows): the database
  lost its last commits, and the row leaps forward.
"""

from datetime import timedelta
from typing import Any

import structlog
from authlib.oauth2.rfc6749 import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from authsrv.kit.handles import Handle
from authsrv.oauth.keyring import LONGEST_TOKEN
from authsrv.oauth.scopes import split_scope
from authsrv.storage.audit import add_audit_event
from authsrv.storage.grants import revoke_grant
from authsrv.storage.refreshing import LiveGrant, find_grant, leap_generation, step_generation

log = structlog.get_logger(__name__)


class RefreshToken(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib carries no types
    """One write a refresh; everything else is for when the network, a thief or a failover interfered."""

    GRANT_TYPE = "refresh_token"
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")

    def validate_token_request(self) -> None:
        """Judges everything that can be judged without the row."""
        self.authenticate_token_endpoint_client()
        if not self.client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client may not use this grant.")
        if "refresh_token" not in self.request.form:
            raise InvalidRequestError("Parameter refresh_token is missing.")
        self.asked_scopes = split_scope(self.request.payload.scope)
        self.asked_audience = self.server.audience_of(self.request)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Steps the generation and answers with fresh tokens. Raises InvalidGrantError and InvalidScopeError."""
        handle = self.server.issuing.read_refresh_token(self.request.form["refresh_token"])
        if handle is None:
            raise _refused()
        grant = step_generation(
            self.request.unit,
            handle.row_id,
            self.client.row_id,
            presented=handle.counter,
            rotates=self.client.rotates_refresh_tokens,
            idle=self._idle,
            store_id=self.request.terms.store_id,
            is_final=not self.asked_scopes and not self.asked_audience and not self.client.refresh_needs_email,
        ) or self._settle(handle)
        if self.client.refresh_needs_email and self.request.form.get("email") != grant.email:
            raise _refused()
        body = self.server.issuing.answer(
            self.client,
            grant,
            self._scopes_for(grant),
            self.server.narrow_audience(grant.audience, self.asked_audience),
            # OIDC Core 12.2: a refreshed ID token carries no nonce.
            nonce=None,
            # Without rotation the client keeps its token, unless the row has moved on from it.
            with_refresh_token=grant.generation != handle.counter,
            terms=self.request.terms,
        )
        return 200, body, self.TOKEN_RESPONSE_HEADER

    def _settle(self, handle: Handle) -> LiveGrant:
        """The swap met no row: finds out which of the cases it is."""
        unit, client = self.request.unit, self.client
        grant = find_grant(unit, handle.row_id, client.row_id)
        now = unit.now()
        if grant is not None and not self.request.terms.holds_in(grant.store):
            raise _refused()
        if grant is None or grant.revoked_at is not None or grant.expires_at <= now or not grant.is_refreshable:
            raise _refused()
        if handle.counter > grant.generation or grant.redeemed_at is None:
            return self._leap(handle, grant)
        since_step = now - (grant.refreshed_at or grant.redeemed_at)
        if handle.counter == grant.generation:
            raise _refused()  # idle for too long
        if handle.counter == grant.generation - 1 and since_step <= self._grace:
            if since_step >= self._idle:
                raise _refused()  # its successor is dead too
            add_audit_event(unit, "grant.refresh_repeated", actor=client.client_id, subject=str(grant.id))
            return grant
        raise self._end_reused(handle, grant)

    def _leap(self, handle: Handle, grant: LiveGrant) -> LiveGrant:
        """A token we sealed is ahead of the row: commits were lost, and the honest client must not pay for it."""
        unit = self.request.unit
        next_generation = handle.counter + 1 if self.client.rotates_refresh_tokens else handle.counter
        leap_generation(unit, grant.id, behind=grant.generation, next_generation=next_generation)
        log.warning("refresh generation was ahead of the database", grant_id=str(grant.id))
        add_audit_event(unit, "grant.generation_leapt", actor=self.client.client_id, subject=str(grant.id))
        after = find_grant(unit, grant.id, self.client.row_id)
        if after is None or after.revoked_at is not None or after.generation != next_generation:
            raise _refused()
        return after

    def _end_reused(self, handle: Handle, grant: LiveGrant) -> InvalidGrantError:
        """An old token came back: two hold the chain, and one of them is a thief (RFC 9700, 4.14.2)."""
        unit = self.request.unit
        if revoke_grant(unit, grant.id, unit.now() + LONGEST_TOKEN):
            add_audit_event(
                unit,
                "grant.refresh_reused",
                actor=self.client.client_id,
                subject=str(grant.id),
                presented=handle.counter,
                current=grant.generation,
            )
        refusal = _refused()
        refusal.keeps_writes = True
        return refusal

    def _scopes_for(self, grant: LiveGrant) -> list[str]:
        """What was asked for and granted; nothing asked is all of it. Raises InvalidScopeError (RFC 6749, 6)."""
        granted = grant.scope.split()
        if not self.asked_scopes:
            return granted
        if not set(self.asked_scopes) <= set(grant.requested_scope.split()) | set(granted):
            raise InvalidScopeError("A scope was not asked for at authorization.")
        scopes = [scope for scope in self.asked_scopes if scope in granted]
        if not scopes:
            raise InvalidScopeError("None of these scopes was granted.")
        return scopes

    @property
    def _idle(self) -> timedelta:
        return timedelta(seconds=self.client.refresh_idle_seconds or self.server.lifetimes.refresh_idle_seconds)

    @property
    def _grace(self) -> timedelta:
        lifetimes = self.server.lifetimes
        public = self.client.is_public
        return timedelta(
            seconds=lifetimes.refresh_grace_public_seconds if public else lifetimes.refresh_grace_confidential_seconds
        )


def _refused() -> InvalidGrantError:
    """One text for every reason: it must not tell a thief what is wrong with the loot."""
    return InvalidGrantError("The refresh token is invalid, has expired, or was revoked.")
