"""Approval: asked for once, decided once; an approved app's new name or URIs wait, the old ones go on working."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.errors import DomainError
from authsrv.oauth.approvals import (
    decide_approval,
    list_requests,
    request_approval,
    request_change,
    withdraw_request,
)
from authsrv.oauth.registration import NewClient, approve_client, create_client, new_client_id
from authsrv.oauth.scopes import ScopeCatalogue
from authsrv.settings import config_file
from authsrv.storage.approvals import APP, find_approval_request
from authsrv.storage.audit import list_audit_events
from authsrv.storage.clients import Client, find_client
from authsrv.storage.unit import Unit
from tests.support.world import World

SCOPES = ScopeCatalogue.read(config_file("scopes.toml"))
URI = "https://app.example/back"
Transact = Callable[[Callable[[Unit], Any]], Any]


@pytest.fixture
def make(world: World) -> Callable[[Unit], Client]:
    """A web app that nobody has approved yet."""

    def create(unit: Unit) -> Client:
        new = NewClient(name="Parcels", developer=f"{uuid4().hex}@example.com", type="web", redirect_uris=[URI])
        return create_client(unit, new, client_id=new_client_id(SystemEntropy()), actor="test", scopes=SCOPES)

    return create


def test_approval_is_asked_for_once_and_lifts_the_cap(world: World, make: Callable[[Unit], Client]) -> None:
    client_id = world.transact(lambda unit: _asked(unit, make(unit)).client_id)
    with pytest.raises(DomainError, match="asked for already"):
        world.transact(lambda unit: request_approval(unit, _found(unit, client_id), text="", asked_by="dev"))
    request, app = world.transact(
        lambda unit: next(one for one in list_requests(unit) if one[1].client_id == client_id)
    )
    assert (app.name, request.kind, request.text) == ("Parcels", APP, "please")
    decision = world.transact(
        lambda unit: decide_approval(unit, request.id, approve=True, reason="", operator="op@example.com")
    )
    assert decision.is_approved
    assert len(decision.emails) == 1
    assert world.transact(lambda unit: _found(unit, client_id)).approved_at is not None
    with pytest.raises(DomainError, match="settled already"):
        world.transact(lambda unit: decide_approval(unit, request.id, approve=False, reason="no", operator="op"))


def test_a_refusal_needs_a_reason_and_leaves_the_app_as_it_was(world: World, make: Callable[[Unit], Client]) -> None:
    client_id, request_id = world.transact(lambda unit: _ids(unit, make(unit)))
    with pytest.raises(DomainError, match="needs one"):
        world.transact(lambda unit: decide_approval(unit, request_id, approve=False, reason=" ", operator="op"))
    world.transact(lambda unit: decide_approval(unit, request_id, approve=False, reason="No policy.", operator="op"))
    assert world.transact(lambda unit: _found(unit, client_id)).approved_at is None
    # And may ask again.
    world.transact(lambda unit: request_approval(unit, _found(unit, client_id), text="now?", asked_by="dev"))


def test_a_change_of_an_approved_app_waits_and_the_old_goes_on(world: World, make: Callable[[Unit], Client]) -> None:
    def begin(unit: Unit) -> tuple[str, Any]:
        client = make(unit)
        approve_client(unit, client, actor="op")
        request_change(unit, client, wanted={"name": "First wish"}, asked_by="dev")
        request = request_change(unit, client, wanted={"name": "Parcels 2"}, asked_by="dev")
        return client.client_id, request.id

    client_id, request_id = world.transact(begin)
    before = world.transact(lambda unit: _found(unit, client_id))
    assert (before.name, before.consent_changed_at) == ("Parcels", None)
    world.transact(lambda unit: decide_approval(unit, request_id, approve=True, reason="", operator="op"))
    after = world.transact(lambda unit: _found(unit, client_id))
    assert after.name == "Parcels 2"
    assert after.redirect_uris == [URI]
    assert after.consent_changed_at is not None
    told = world.transact(lambda unit: [event.event for event in list_audit_events(unit, subject=client_id)])
    assert {"approval.requested", "approval.withdrawn", "approval.approved", "client.changed"} <= set(told)


def test_what_was_withdrawn_or_settled_by_the_shell_is_not_decided_again(
    world: World, make: Callable[[Unit], Client]
) -> None:
    client_id, request_id = world.transact(lambda unit: _ids(unit, make(unit)))
    assert world.transact(lambda unit: withdraw_request(unit, _found(unit, client_id), APP, actor="dev"))
    assert not world.transact(lambda unit: withdraw_request(unit, _found(unit, client_id), APP, actor="dev"))
    with pytest.raises(DomainError, match="settled already"):
        world.transact(lambda unit: decide_approval(unit, request_id, approve=True, reason="", operator="op"))
    again = world.transact(lambda unit: request_approval(unit, _found(unit, client_id), text="", asked_by="dev").id)
    world.transact(lambda unit: approve_client(unit, _found(unit, client_id), actor="cli"))
    found = world.transact(lambda unit: find_approval_request(unit, again))
    assert found is not None
    assert found[0].status == "approved"


def _asked(unit: Unit, client: Client) -> Client:
    request_approval(unit, client, text="please", asked_by="dev@example.com")
    return client


def _ids(unit: Unit, client: Client) -> tuple[str, Any]:
    return client.client_id, request_approval(unit, client, text="please", asked_by="dev").id


def _found(unit: Unit, client_id: str) -> Client:
    client = find_client(unit, client_id)
    assert client is not None
    return client
