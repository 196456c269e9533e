"""The `vend` backend of social-auth-core, its host names replaced, logs a retailer in and refreshes."""

import pytest
from social_core.exceptions import AuthCanceled

from tests.dialects.vend.social import CALLBACK, LocalUser, OurVend, SocialUser, Strategy
from tests.dialects.vend.tills import Till, at, retailer_of
from tests.people import answer_in
from tests.support.world import World


@pytest.fixture
def store(world: World) -> str:
    return world.add_store().prefix


@pytest.fixture
def strategy(world: World) -> Strategy:
    till = Till.registered(world, redirect_uris=[CALLBACK], scope="products:read")
    own = till.credentials
    return Strategy({"SOCIAL_AUTH_VEND_KEY": own.client_id, "SOCIAL_AUTH_VEND_SECRET": own.client_secret})


def test_a_retailer_logs_in(world: World, strategy: Strategy, store: str) -> None:
    retailer = retailer_of(world, store)
    strategy.arrived = retailer.allow(OurVend(world, strategy).auth_url())
    user = OurVend(world, strategy).auth_complete()
    assert isinstance(user, LocalUser)
    assert (user.email, user.username) == (retailer.email, retailer.email.partition("@")[0])
    social = SocialUser.get_social_auth("vend", f"{store}:{retailer.user_id}")
    assert social is not None
    assert social.extra_data["domain_prefix"] == store
    answered = world.http.get(
        "/api/products", headers={**at(store), "Authorization": f"Bearer {social.extra_data['access_token']}"}
    )
    assert answered.status_code == 200


def test_it_refreshes(world: World, strategy: Strategy, store: str) -> None:
    retailer = retailer_of(world, store)
    strategy.arrived = retailer.allow(OurVend(world, strategy).auth_url())
    OurVend(world, strategy).auth_complete()
    social = SocialUser.get_social_auth("vend", f"{store}:{retailer.user_id}")
    assert social is not None
    backend = OurVend(world, strategy)
    fresh = backend.refresh_token(social.extra_data["refresh_token"])
    assert fresh["access_token"] != social.extra_data["access_token"]
    assert fresh["refresh_token"] != social.extra_data["refresh_token"]


def test_it_hears_that_the_retailer_declined(world: World, strategy: Strategy, store: str) -> None:
    retailer = retailer_of(world, store)
    page = retailer.visit(OurVend(world, strategy).auth_url())
    strategy.arrived = answer_in(retailer.send(page, decision="deny"))
    with pytest.raises(AuthCanceled):
        OurVend(world, strategy).auth_complete()
