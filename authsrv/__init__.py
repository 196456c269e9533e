"""authsrv: an OAuth 2.0 and OpenID Connect authorization server for commerce platforms, alone or mounted in an app."""

from typing import TYPE_CHECKING, Any

from authsrv.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from authsrv.app import create_app, well_known_routes

__all__ = ["Settings", "SettingsError", "create_app", "load_settings", "well_known_routes"]


def __getattr__(name: str) -> Any:
    """The app is imported when it is asked for: most commands never need it, and it is most of the code."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from authsrv import app  # noqa: PLC0415

    return getattr(app, name)
