"""Cards: checked, and forgotten; of a number nothing stays but what a receipt shows (PCI DSS 4.0, 3.4)."""

from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from authsrv.dialects.order_api.payments import Receipt, read_receipt
from authsrv.kit.errors import DomainError
from tests.actors import ORDER, Service
from tests.flows.test_stolen_database import dump
from tests.support.world import World

CARDS = {
    "visa": "4111111111111111",
    "mastercard": "5555555555554444",
    "a new mastercard": "2223003122003222",
    "amex": "378282246310005",
    "discover": "6011111111111117",
    "thirteen digits": "4222222222222",
    "with spaces": "4012 8888 8888 1881",
    "with hyphens": "4012-8888-8888-1881",
}


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """All that is logged meanwhile, errors and requests alike."""
    before = structlog.get_config()
    lines = StringIO()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger("DEBUG"),
        logger_factory=structlog.PrintLoggerFactory(lines),
    )
    yield lines
    structlog.configure(**before)


@pytest.mark.parametrize("field", ["card_number", "number", "pan"])
def test_a_card_number_is_found_nowhere_afterwards(world: World, logged: StringIO, field: str) -> None:
    service = Service.hired(world)
    said = ""
    for number in CARDS.values():
        details = {field: number, "cvv": "c86v42", "expiry": "12/31", "holder": number}
        placed = service.place(
            {**ORDER, "payment_details": details}, headers={"Idempotency-Key": f"{field}-{number[-6:]}"}
        )
        assert placed.status_code == 201, placed.text
        said += service.read(placed.json()["order_id"]).text
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
        mistyped: object = {**details, field: wrong}
        refused = service.place({**ORDER, "payment_details": mistyped})
        assert refused.status_code == 400
        said += refused.text
        bodies: tuple[object, ...] = (
            {**ORDER, "payment_details": number},
            {**ORDER, "customer_id": {"x": number}},
            [number],
            number,
        )
        for body in bodies:
            said += service.place(body).text
    everything = dump(world) + logged.getvalue() + said
    assert service.client_id in everything
    for number in CARDS.values():
        for spelling in (number, number.replace(" ", "").replace("-", "")):
            assert spelling not in everything
            assert spelling[:-1] not in everything
    assert "c86v42" not in dump(world)


@pytest.mark.parametrize(
    ("number", "brand"),
    [
        (CARDS["visa"], "visa"),
        (CARDS["mastercard"], "mastercard"),
        (CARDS["a new mastercard"], "mastercard"),
        (CARDS["amex"], "amex"),
        (CARDS["discover"], "discover"),
        ("3530111333300000", "card"),
        (CARDS["with spaces"], "visa"),
        (CARDS["with hyphens"], "visa"),
    ],
)
def test_brand_and_last_four_digits_are_kept(number: str, brand: str) -> None:
    assert read_receipt("credit_card", {"card_number": number}) == Receipt(brand, number[-4:])


def test_who_knows_no_number_says_brand_and_last_four(sqlite_world: World) -> None:
    assert read_receipt("credit_card", {"brand": "visa", "last4": "4242"}) == Receipt("visa", "4242")
    assert read_receipt("credit_card", {}) == Receipt()
    assert read_receipt("paypal", {"email": "someone@example.com"}) == Receipt()


@pytest.mark.parametrize(
    ("method", "details", "field"),
    [
        pytest.param("credit_card", {"card_number": "4111111111111112"}, ".card_number", id="a mistyped digit"),
        pytest.param("credit_card", {"card_number": "4111"}, ".card_number", id="four digits"),
        pytest.param("credit_card", {"card_number": "4" * 20}, ".card_number", id="twenty digits"),
        pytest.param("credit_card", {"card_number": 4111111111111111}, ".card_number", id="a number, not a text"),
        pytest.param("credit_card", {"card_number": "٤١١١١١١١١١١١١١١١"}, ".card_number", id="digits of another script"),
        pytest.param("credit_card", {"card_number": ""}, ".card_number", id="nothing"),
        pytest.param("credit_card", {"brand": "4111111111111111"}, ".brand", id="a number as the brand"),
        pytest.param("credit_card", {"last4": "411111"}, ".last4", id="six last digits"),
        pytest.param("credit_card", {"last4": "12a4"}, ".last4", id="a letter among them"),
        pytest.param("paypal", {"card_number": "4111111111111111"}, "", id="a card for PayPal"),
    ],
)
def test_details_that_cannot_be_are_refused_without_repeating_them(
    method: str, details: dict[str, object], field: str
) -> None:
    with pytest.raises(DomainError) as refused:
        read_receipt(method, details)
    assert refused.value.code == "invalid_parameter"
    assert refused.value.description.startswith(f"payment_details{field}: ")
    assert "4111" not in refused.value.description
