"""The Order API: orders as JSON, behind a bearer credential."""

from authsrv.dialects.order_api.orders import cancel, create, list_all, read, update
from authsrv.dialects.order_api.reference import document, reference
from authsrv.dialects.order_api.voice import voice

__all__ = ["cancel", "create", "document", "list_all", "read", "reference", "update", "voice"]
