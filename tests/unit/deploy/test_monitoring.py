"""The watch is scheduled where the settings want it, and its schedule goes where they do not."""

from __future__ import annotations

from tinykit_ops import layout
from tinykit_ops.deploy.monitoring import watch_files
from tinykit_ops.ops.tree import Absent, File


def test_cron_runs_the_watch_every_minute_when_it_is_wanted(make_settings) -> None:
    (entry,) = watch_files(make_settings(watch={"enabled": True}))
    assert isinstance(entry, File)
    assert entry.path == layout.WATCH_CRON_FILE
    job = entry.content.splitlines()[-1]
    assert job.startswith("* * * * * root ")
    assert job.endswith(f"{layout.AGENT_COMMAND} watch run")


def test_nothing_is_scheduled_by_default(make_settings) -> None:
    assert watch_files(make_settings()) == [Absent(layout.WATCH_CRON_FILE)]
