"""The way from one schema to the next (Alembic); additive, on both engines."""
