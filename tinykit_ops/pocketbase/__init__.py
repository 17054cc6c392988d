"""Talking to a running PocketBase: over its API only, never through its files."""
