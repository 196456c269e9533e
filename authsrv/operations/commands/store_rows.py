"""What the commands on what belongs to a store share: finding the store."""

from authsrv.kit.errors import DomainError
from authsrv.storage.stores import Store, find_store
from authsrv.storage.unit import Unit


def get_store(unit: Unit, prefix: str) -> Store:
    """Raises not_found."""
    store = find_store(unit, prefix)
    if store is None:
        raise DomainError("not_found", 404, f"There is no store {prefix}.")
    return store
