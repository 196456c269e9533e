"""Clients above the seam: from memory, and only where memory cannot tell, from below."""

from authsrv.oauth.clients import RegisteredClient
from authsrv.web.runtime import Runtime


async def look_up_client(runtime: Runtime, client_id: str) -> RegisteredClient | None:
    """The client, if there is one."""
    clients = runtime.server.clients
    if clients.knows(client_id):
        return clients.recall(client_id)
    return await runtime.database.transact(lambda unit: clients.find(unit, client_id), read_only=True)
