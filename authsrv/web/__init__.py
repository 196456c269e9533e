"""What the doors share: request and response adapters, the gate, the guard."""
