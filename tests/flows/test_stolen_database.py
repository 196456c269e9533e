"""A copy of the database holds nothing that could be used."""

from sqlalchemy import inspect, text

from authsrv.kit.signing import ALGORITHMS, export_private
from authsrv.storage.unit import Unit
from tests.actors import Service
from tests.support.world import SECRET_KEY, World


def dump(world: World) -> str:
    """Every value of every table, as text."""

    def work(unit: Unit) -> str:
        connection = unit.session.connection()
        tables = inspect(connection).get_table_names()
        rows = (row for table in tables for row in connection.execute(text(f'SELECT * FROM "{table}"')))  # noqa: S608
        return "\n".join(_plain(value) for row in rows for value in row)

    return world.transact(work)


def _plain(value: object) -> str:
    return f"{value.hex()} {value!r}" if isinstance(value, bytes) else str(value)


def test_no_secret_no_token_and_no_key_can_be_found_in_it(world: World) -> None:
    jwt, opaque = Service.hired(world), Service.hired(world, token_format="opaque")
    tokens = [service.get_token() for service in (jwt, opaque) for _ in range(2)]
    order_id = jwt.place().json()["order_id"]
    jwt.revoke(tokens[0])
    opaque.revoke(tokens[2])
    new_secret = world.rotate_secret(jwt.credentials, revoke_old=False)

    everything = dump(world)

    # It is the right database, and the search finds what is there.
    assert jwt.client_id in everything
    assert order_id.replace("-", "") in everything.replace("-", "")
    secrets = [jwt.credentials.client_secret, opaque.credentials.client_secret, new_secret, SECRET_KEY, *tokens]
    for secret in secrets:
        assert secret not in everything
        # Nor the part of it that would do: the random bits, or the signature.
        assert secret[-40:] not in everything
        assert secret.encode().hex() not in everything
    for algorithm in ALGORITHMS:
        private = export_private(world.runtime.keyring.signing(algorithm).key).decode()
        assert private not in everything
        assert private.encode().hex() not in everything
