"""The grants this server knows; adding one is a file and a line here."""

from authsrv.oauth.grants.authorization_code import AuthorizationCode
from authsrv.oauth.grants.client_credentials import ClientCredentials
from authsrv.oauth.grants.refresh_token import RefreshToken

GRANTS = (AuthorizationCode, ClientCredentials, RefreshToken)
