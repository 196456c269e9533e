"""The last use of a secret is written down with those of many others, and never set back."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from authsrv.kit.machine_secrets import digest_of
from authsrv.storage.clients import find_client, list_live_secrets, note_secret_uses
from authsrv.storage.unit import Unit
from tests.actors import Service
from tests.support.world import World

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_each_of_many_secrets_has_its_latest_use(world: World) -> None:
    services = [Service.hired(world) for _ in range(3)]

    def rows(unit: Unit) -> list[UUID]:
        found = [find_client(unit, service.client_id) for service in services]
        return [client.id for client in found if client]

    clients = world.transact(rows)
    secrets = list(zip(clients, [digest_of(each.credentials.client_secret) for each in services], strict=True))
    world.transact(lambda unit: note_secret_uses(unit, [(secret, NOON) for secret in secrets]))
    before, after = NOON - timedelta(minutes=5), NOON + timedelta(minutes=5)
    world.transact(lambda unit: note_secret_uses(unit, [(secrets[0], before), (secrets[2], after)]))
    found = world.transact(lambda unit: [list_live_secrets(unit, client)[0].last_used_at for client in clients])
    assert found == [NOON, NOON, after]
