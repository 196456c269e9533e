"""The storefront: signing in by a code, carts and checkout, accounts and products, as JSON:API documents."""

from authsrv.dialects.storefront import account, auth, cart, checkout, products
from authsrv.dialects.storefront.callers import ORDER_TOKEN_HEADERS
from authsrv.dialects.storefront.voice import plain_voice, voice
from authsrv.web.doors import Door, Handler
from authsrv.web.voices import Voice

_ROOT = "/api/v2/storefront"


def _door(path: str, handlers: dict[str, Handler]) -> Door:
    return Door(_ROOT + path, handlers, cors=True, cors_headers=ORDER_TOKEN_HEADERS, at_stores=True)


DOORS: tuple[Door, ...] = (
    _door("/auth", {"POST": auth.sign_in}),
    _door("/auth/{token}", {"DELETE": auth.sign_out}),
    _door("/account", {"GET": account.show, "PATCH": account.change}),
    _door("/account/orders", {"GET": account.list_placed}),
    _door("/cart", {"POST": cart.create, "GET": cart.show, "DELETE": cart.drop}),
    _door("/cart/add_item", {"POST": cart.add}),
    _door("/cart/set_quantity", {"PATCH": cart.change_quantity}),
    _door("/cart/remove_line_item/{line_item_id}", {"DELETE": cart.remove}),
    _door("/cart/empty", {"PATCH": cart.empty}),
    _door("/cart/associate", {"PATCH": cart.associate}),
    _door("/checkout", {"PATCH": checkout.update}),
    _door("/checkout/complete", {"PATCH": checkout.complete}),
    _door("/products", {"GET": products.list_all}),
    _door("/products/{product_id:path}", {"GET": products.show}),
)
VOICES: tuple[tuple[str, Voice], ...] = ((f"{_ROOT}/auth", plain_voice), (_ROOT, voice))
