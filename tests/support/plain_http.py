"""What spares a client the loading of all the world's certificates: the servers of the tests speak plain HTTP."""

import ssl

# It trusts nobody, so a test that does meet TLS fails.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
