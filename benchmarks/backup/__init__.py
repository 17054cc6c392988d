"""Backups beside restic, rclone, tar and PocketBase's own: speed, size, memory, and what writers
feel meanwhile."""
