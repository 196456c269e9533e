"""What the terminal shows when the demo starts: the pages, and two commands to paste."""

import orjson

from authsrv.kit.secret_keys import SecretKeys
from authsrv.operations.demo import demo_secret, read_seed
from authsrv.settings import Settings

_TEXT = """
  {name} is open at {issuer}

  Sign in     {issuer}/sign-in
  Account     {issuer}/account
  Mail        {issuer}/dev/outbox   (no mail is sent: codes arrive here)
  Developers  {issuer}/developers   (sign in as {developer})
  Store       {issuer}/store        (sign in as {owner})
  Operator    {issuer}/operator     (sign in as {operator})
  Order API   {issuer}/docs         (reference, with samples that run here)
  Discovery   {issuer}/.well-known/openid-configuration
  Keys        {issuer}/oauth/jwks
  Health      {issuer}/readyz

  1. Get a token, as the service "{client}":

curl -s -u '{client_id}:{secret}' -d grant_type=client_credentials {issuer}/oauth/token

  2. Place an order with a token:

curl -s -H "Authorization: Bearer $({get_token})" -H 'Content-Type: application/json' -d '{order}' {issuer}/orders

  Ctrl-C stops the server; its data stays in the database.
"""


_GET_TOKEN = (
    "curl -s -u '{credentials}' -d grant_type=client_credentials {issuer}/oauth/token"
    """ | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'"""
)


def demo_summary(settings: Settings, keys: SecretKeys) -> str:
    """The text, with this installation's own credentials in it."""
    seed = read_seed()
    client = seed["clients"][0]
    customer = next(person["customer_id"] for person in seed["people"] if "customer_id" in person)
    secret = demo_secret(keys, client["client_id"])
    order = {
        "customer_id": customer,
        "items": [{"product_id": product["product_id"], "quantity": 1} for product in seed["products"][:2]],
        "shipping_address": {
            "street": "123 Main St",
            "city": "Anytown",
            "state": "CA",
            "zip": "91234",
            "country": "USA",
        },
        "payment_method": "credit_card",
        "payment_details": {},
    }
    return _TEXT.format(
        name=seed["store"]["name"],
        issuer=settings.issuer,
        client=client["name"],
        client_id=client["client_id"],
        developer=seed["developer"]["email"],
        owner=next(person["email"] for person in seed["people"] if person["role"] == "owner"),
        operator=seed["operator"]["email"],
        secret=secret,
        get_token=_GET_TOKEN.format(credentials=f"{client['client_id']}:{secret}", issuer=settings.issuer),
        order=orjson.dumps(order).decode(),
    )
