"""Backups of an instance: snapshot → archive → target → retention; verify and restore."""
