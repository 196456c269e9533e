"""Doors of the vendors: each folder reads one wire format, calls the same engine, and words the answer."""
