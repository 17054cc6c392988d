"""What this host has to have for a backup."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.doctor.sign import Mark, Sign, from_error
from tinykit_ops.backup.notify import (
    NTFY_TOKEN,
    NTFY_URL,
    OWN_PING_URLS,
    PING_URL,
    PRUNE,
    SENDMAIL,
    VERIFY,
    WEBHOOK_URL,
)
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.snapshot import MARGIN_BYTES
from tinykit_ops.errors import TinykitOpsError


def look_at_host(
    config: AgentConfig, places: Places, cron_file: Path = Path(layout.CRON_FILE)
) -> Iterator[Sign]:
    """Room for a copy, the secrets, the clock, the schedule, hooks, metrics."""
    if not places.of:  # a verifier makes no copy of a database
        yield from _room(places)
    yield from _secrets(config, places)
    yield _clock()
    yield _schedule(config, cron_file)
    if config.settings.backup.notify.email and not SENDMAIL.exists():
        yield Sign(
            Mark.BAD,
            "e-mail",
            f"there is no mailer ({SENDMAIL}), so no e-mail can be sent",
            "install one, such as msmtp-mta or postfix",
        )
    yield _metrics(places.metrics)


def _room(places: Places) -> Iterator[Sign]:
    if not places.database.is_file():
        yield Sign(
            Mark.UNKNOWN,
            "space",
            f"there is no database here ({places.database}), so nothing can be backed up",
            "on a host that only verifies or prunes that is as it should be",
        )
        return
    size = places.database.stat().st_size
    folder = places.snapshots if places.snapshots.is_dir() else places.data
    free = shutil.disk_usage(folder).free
    said = f"{free >> 20} MiB are free for a copy of the database, which has {size >> 20}"
    low = free < size + MARGIN_BYTES
    hint = "free some space on that file system" if low else ""
    yield Sign(Mark.BAD if low else Mark.GOOD, "space", said, hint)


def _secrets(config: AgentConfig, places: Places) -> Iterator[Sign]:
    wanted = [] if places.of else [layout.HOOK_TOKEN, layout.DEDUP_KEY]
    verify = config.settings.backup.verify
    wanted += [layout.VERIFY_IDENTITY] if verify and verify.identity else []
    notify = config.settings.backup.notify
    wanted += [PING_URL] if notify.ping_url else []
    wanted += [WEBHOOK_URL] if notify.webhook_url else []
    wanted += [NTFY_URL] if notify.ntfy_url else []
    wanted += [NTFY_TOKEN] if notify.ntfy_token else []
    wanted += [OWN_PING_URLS[VERIFY]] if notify.verify_ping_url else []
    wanted += [OWN_PING_URLS[PRUNE]] if notify.prune_ping_url else []
    lacking = 0
    for name in wanted:
        try:
            config.secret(name)
        except TinykitOpsError as error:
            lacking += 1
            yield from_error("secrets", error)
    if not lacking:
        yield Sign(Mark.GOOD, "secrets", f"{len(wanted)} are there, and only root can read them")


def _clock() -> Sign:
    try:
        told = subprocess.run(
            ["timedatectl", "show", "-p", "NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return Sign(Mark.UNKNOWN, "clock", "whether it is synchronised cannot be asked here")
    if told == "yes":
        return Sign(Mark.GOOD, "clock", "it is synchronised")
    return Sign(
        Mark.NOTE,
        "clock",
        "it is not synchronised: snapshots would be named by a wrong time",
        "`timedatectl set-ntp true`; S3 refuses a clock that is 15 minutes off",
    )


def _schedule(config: AgentConfig, cron_file: Path) -> Sign:
    try:
        text = cron_file.read_text()
    except OSError:
        text = ""
    scheduled = set(re.findall(r"--target (\S+)", text))
    lacking = sorted({target.name for target in config.settings.backup.targets} - scheduled)
    if not lacking:
        return Sign(Mark.GOOD, "schedule", f"every target has its line in {cron_file}")
    return Sign(
        Mark.BAD,
        "schedule",
        f"{cron_file} has no line for: {', '.join(lacking)}",
        "run the deploy again; on a host that only verifies or prunes that is as it should be",
    )


def _metrics(folder: Path) -> Sign:
    if folder.is_dir():
        return Sign(Mark.GOOD, "metrics", f"are written to {folder}")
    return Sign(Mark.NOTE, "metrics", f"are not written: there is no {folder}")
