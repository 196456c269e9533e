"""The grants this server knows; adding one is a file and a line here."""

from authsrv.oauth.grants.client_credentials import ClientCredentials

GRANTS = (ClientCredentials,)
