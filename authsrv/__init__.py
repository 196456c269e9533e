"""authsrv: an OAuth 2.0 and OpenID Connect authorization server for commerce platforms, alone or mounted in an app."""

from authsrv.app import create_app, well_known_routes
from authsrv.settings import Settings, SettingsError, load_settings

__all__ = ["Settings", "SettingsError", "create_app", "load_settings", "well_known_routes"]
