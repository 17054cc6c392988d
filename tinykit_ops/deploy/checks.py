"""The nightly look at a host, as files for it."""

from __future__ import annotations

from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.backup.schedule import delay
from tinykit_ops.checks.waivers_file import parse_waivers, waivers_text
from tinykit_ops.deploy.templates import render
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.ops.tree import Absent, Entry, File
from tinykit_ops.settings import Settings
from tinykit_ops.settings.pyinfra_error import RunStoppedError


def check_files(settings: Settings) -> list[Entry]:
    """The schedule, and the waivers that the inventory names; what it does not want goes.

    Raises:
        RunStoppedError: the waivers cannot be read or are wrong; pyinfra prints it, before any
            host was changed.
    """
    wanted = settings.checks
    if not wanted.enabled:
        return [Absent(layout.CHECKS_CRON_FILE), waivers_entry(wanted.waivers)]
    wait = delay(f"check {settings.domains[0]}", wanted.jitter_minutes * 60)
    job = {"schedule": wanted.schedule, "delay_seconds": wait, "words": ""}
    line = render("cron/checks.j2", jobs=[job])
    return [File(layout.CHECKS_CRON_FILE, line), waivers_entry(wanted.waivers)]


def waivers_entry(source: str | None, place: str = layout.CHECKS_WAIVERS) -> Entry:
    """The file of accepted findings. Reasons may be about a customer, so it is root's alone.

    Raises:
        RunStoppedError: see `check_files`.
    """
    if source is None:
        return Absent(place)
    path = Path(source).expanduser()
    try:
        text = waivers_text(path)
        parse_waivers(text, str(path))
    except TinykitOpsError as error:
        raise RunStoppedError(error) from None
    return File(place, text, mode="600")
