"""The Order API: orders as JSON, behind a bearer credential."""

from authsrv.dialects.order_api.orders import create, list_all, read
from authsrv.dialects.order_api.voice import voice

__all__ = ["create", "list_all", "read", "voice"]
