"""The watch of a host, as files for it."""

from __future__ import annotations

from tinykit_ops import layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.ops.tree import Absent, Entry, File
from tinykit_ops.settings import Settings


def watch_files(settings: Settings) -> list[Entry]:
    """Its schedule; it goes when the settings do not want it, with the metrics that it wrote."""
    if not (settings.watch.enabled or settings.metrics.enabled):
        return [Absent(layout.WATCH_CRON_FILE), Absent(layout.WATCH_METRICS)]
    return [File(layout.WATCH_CRON_FILE, render("cron/watch.j2"))]
