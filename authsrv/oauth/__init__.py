"""The protocol engine: client authentication, grants, tokens, scopes and metadata; plain Python below the seam."""
