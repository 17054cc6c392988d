"""Which boot of this host it is."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Another text after every boot."""
    return _BOOT_ID.read_text().strip()
