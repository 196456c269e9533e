"""An API password that was switched off and on again works, whoever switched it, and however long ago."""

from datetime import timedelta

import pytest

from authsrv.identity.customer_api import Customer, allow_customer, make_password, withdraw_customer
from authsrv.identity.revocations import RevocationList
from authsrv.identity.sessions import Sessions
from authsrv.identity.suspension import resume_person, suspend_person
from authsrv.kit.entropy import SystemEntropy
from authsrv.kit.handles import HandleSealer
from authsrv.kit.secret_keys import SecretKeys
from authsrv.storage.stores import add_store
from authsrv.storage.unit import NoticeKind, Unit
from authsrv.storage.users import User, add_user, join_store
from tests.support.world import ManualClock

HOUR = timedelta(hours=1)
ENTROPY = SystemEntropy()


class Scene:
    """A customer with an API password, and what a process knows of the feed."""

    def __init__(self, unit: Unit, clock: ManualClock) -> None:
        store = add_store(unit, prefix="shop", name="Shop", currency="EUR")
        self.user: User = add_user(unit, email="ann@example.com")
        join_store(unit, store_id=store.id, user_id=self.user.id)
        self.customer = Customer(self.user.id, store.id, self.user.email, store.prefix)
        self.unit, self.clock = unit, clock
        self.known = RevocationList(clock)
        sealer = HandleSealer(SecretKeys(["a secret that is long enough for a key"]))
        self.sessions = Sessions(sealer, idle_seconds=60, absolute_seconds=600)
        allow_customer(unit, self.customer, actor="test")
        self.client_id = make_password(unit, self.customer, entropy=ENTROPY, actor="test").client_id

    def do(self, act: str) -> None:
        ends_at = self.clock.now() + timedelta(days=31)
        if act in {"suspend", "resume"}:
            change = suspend_person if act == "suspend" else resume_person
            change(self.unit, self.user, self.sessions, ends_at, actor="test", reason="a test")
            self.unit.session.refresh(self.user)
        else:
            (allow_customer if act == "allow" else withdraw_customer)(self.unit, self.customer, actor="test")
        self.clock.move(timedelta(minutes=1))

    def opens(self) -> bool:
        """Whether a token made now would be good to who has heard of everything and forgot what has expired."""
        self.known.apply(self.unit.notices)
        self.known.forget_expired(self.clock.now())
        return not self.known.is_void(self.unit.new_id(), ((NoticeKind.CLIENT, self.client_id),))


@pytest.fixture
def scene(unit: Unit, clock: ManualClock) -> Scene:
    return Scene(unit, clock)


@pytest.mark.parametrize("hours", [0, 1, 3, 24, 24 * 32])
@pytest.mark.parametrize(
    "acts",
    ["suspend resume", "withdraw allow", "suspend withdraw resume allow", "withdraw suspend allow resume"],
)
def test_what_switched_it_on_is_not_forgotten_before_what_switched_it_off(scene: Scene, acts: str, hours: int) -> None:
    for act in acts.split():
        scene.do(act)
    scene.clock.move(hours * HOUR)
    assert scene.opens()


@pytest.mark.parametrize("act", ["suspend", "withdraw"])
def test_switched_off_it_opens_nothing(scene: Scene, act: str) -> None:
    scene.do(act)
    assert not scene.opens()
