"""A service gets a token and places an order."""

import httpx

from tests.support.world import World

ORDER = {
    "customer_id": "12345",
    "items": [{"product_id": "A100", "quantity": 2}, {"product_id": "B200", "quantity": 1}],
    "shipping_address": {"street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "91234", "country": "USA"},
    "payment_method": "credit_card",
    "payment_details": {},
}


def test_a_service_places_an_order_and_reads_it_back(world: World) -> None:
    store = world.add_store()
    service = world.add_client(store=store.prefix, scope="orders:read orders:write")
    credentials = httpx.BasicAuth(service.client_id, service.client_secret)
    granted = world.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials).json()
    bearer = {"Authorization": f"Bearer {granted['access_token']}"}

    placed = world.http.post("/orders", json=ORDER, headers=bearer)
    assert placed.status_code == 201
    assert placed.json()["status"] == "pending"

    order = world.http.get(f"/orders/{placed.json()['order_id']}", headers=bearer).json()
    assert order["items"] == [
        {"product_id": "A100", "quantity": 2, "price": 14.0},
        {"product_id": "B200", "quantity": 1, "price": 18.5},
    ]
