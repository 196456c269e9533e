"""`authsrv prices`: what one customer pays, as an operator sets it."""

from pathlib import Path

import pytest

from tests.actors import Operator

OWN = ("customer@example.com", "A100")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """With a store of two products and one customer."""
    folder: Path = tmp_path_factory.mktemp("prices")
    secret = "a-secret-of-the-tests-long-enough-for-every-purpose"
    operator = Operator(folder, {"AUTHSRV_DATABASE_URL": f"sqlite:///{folder}/a.db", "AUTHSRV_SECRET_KEYS": secret})
    operator.ask("migrate")
    operator.ask("stores", "create", "shop", "--name", "A shop", "--currency", "USD")
    (folder / "products.csv").write_text("product_id,code,name,price,stock\nA100,M,Mug,14.00,5\nB200,B,Bowl,18.5,7\n")
    operator.ask("products", "import", "products.csv", "--store", "shop")
    operator.ask("users", "create", OWN[0], "--store", "shop")
    return operator


def test_a_price_is_set_changed_listed_and_removed(operator: Operator) -> None:
    shown = {"product_id": "A100", "name": "Mug", "price": "9.99", "catalogue": "14.00", "currency": "USD"}
    assert operator.ask("prices", "set", *OWN, "9.99", "--store", "shop") == shown
    operator.ask("prices", "set", *OWN, "8", "--store", "shop")
    assert operator.ask("prices", "list", OWN[0], "--store", "shop") == [{**shown, "price": "8.00"}]
    assert operator.ask("prices", "remove", *OWN, "--store", "shop") == {"product_id": "A100", "removed": True}
    assert operator.ask("prices", "remove", *OWN, "--store", "shop") == {"product_id": "A100", "removed": False}
    assert operator.ask("prices", "list", OWN[0], "--store", "shop") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nobody@example.com", "A100", "9.99", "--store", "shop"), "Nobody is known as nobody@example.com."),
        ((OWN[0], "Z999", "9.99", "--store", "shop"), "There is no product Z999 in shop."),
        ((*OWN, "9.999", "--store", "shop"), "price: '9.999' is finer than USD goes."),
        ((*OWN, "cheap", "--store", "shop"), "price: 'cheap' is not a price."),
        ((*OWN, "9.99", "--store", "nowhere"), "There is no store nowhere."),
    ],
)
def test_what_cannot_be_is_refused(operator: Operator, arguments: tuple[str, ...], said: str) -> None:
    refused = operator.run("prices", "set", *arguments)
    assert (refused.exit_code, refused.stderr.strip()) == (1, said)
