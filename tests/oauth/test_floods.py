"""What a stranger makes up is not remembered for long, or not at all."""

from authsrv.oauth.clients import ClientDirectory
from authsrv.storage.unit import Unit
from tests.people import App, Person
from tests.support.world import World


def test_made_up_tokens_push_no_checked_one_out(world: World) -> None:
    tokens = world.runtime.server.tokens
    good = App.registered(world).log_in(Person.signed_in(world))["access_token"]
    assert tokens.find(good) is not None
    before = tokens.remembered
    for number in range(5000):
        assert tokens.find(f"at_{number}") is None
    assert tokens.remembered == before


def test_a_name_that_no_client_can_have_is_not_remembered(unit: Unit) -> None:
    directory, longest = ClientDirectory(), "a" * 513
    for made_up in (longest, "with \0 in it"):
        assert directory.find(unit, made_up) is None
        assert not directory.knows(made_up)
