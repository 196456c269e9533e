"""Tools that know nothing of OAuth: clock, entropy, handles, secrets, passwords, keys, errors."""
