"""A verifier's nightly looks at instances from outside, as files for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.backup.schedule import delay
from tinykit_ops.checks.keeping import CheckPlaces
from tinykit_ops.deploy.checks import waivers_entry
from tinykit_ops.deploy.templates import render
from tinykit_ops.errors import UsageError
from tinykit_ops.ops.tree import Absent, Entry, File
from tinykit_ops.settings import Settings
from tinykit_ops.settings.pyinfra_error import RunStoppedError
from tinykit_ops.settings.verifier_checks import OutsideCheckSettings


def outside_check_files(
    wanted: OutsideCheckSettings, instances: Mapping[str, Settings]
) -> list[Entry]:
    """A line for cron and the waivers of each instance, and whom to trust.

    Args:
        instances: what the verifier's agent knows of each, by folder name.

    Raises:
        RunStoppedError: a file of the controller cannot be read or is wrong; pyinfra prints it,
            before any host was changed.
    """
    waivers = [
        waivers_entry(settings.checks.waivers, str(CheckPlaces.of_instance(name).waivers))
        for name, settings in instances.items()
    ]
    if not wanted.enabled:
        return [Absent(layout.CHECKS_CRON_FILE), Absent(layout.CHECKS_CA_FILE), *waivers]
    lines = "".join(_lines(wanted, instances))
    return [File(layout.CHECKS_CRON_FILE, lines), _authorities(wanted.ca_file), *waivers]


def _lines(wanted: OutsideCheckSettings, instances: Mapping[str, Settings]) -> Iterator[str]:
    words = ["--vantage stranger"] if wanted.stranger else []
    words += [f"--ca-file {layout.CHECKS_CA_FILE}"] if wanted.ca_file else []
    jobs = [
        {
            "schedule": wanted.schedule,
            "delay_seconds": delay(f"check {name}", wanted.jitter_minutes * 60),
            "words": " ".join(["", f"--instance {name}", *words]),
        }
        for name in instances
    ]
    yield render("cron/checks.j2", jobs=jobs)


def _authorities(source: str | None) -> Entry:
    if source is None:
        return Absent(layout.CHECKS_CA_FILE)
    path = Path(source).expanduser()
    try:
        text = path.read_text()
        if "BEGIN CERTIFICATE" not in text:
            raise UnicodeError
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it holds no certificate in PEM form"
        raise RunStoppedError(
            UsageError(f"`checks.ca_file` cannot be used: {reason}", where=str(path))
        ) from None
    return File(layout.CHECKS_CA_FILE, text)
