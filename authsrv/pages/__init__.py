"""Doors for people: sign in, allow, look after one's account."""
