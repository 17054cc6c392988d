"""Whether PocketBase's own backups get in the way of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.doctor.sign import Mark, Sign
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.schedule import jobs
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.settings import cron

NEAR = timedelta(minutes=15)
DAYS = 15  #: looked at, so that every weekday comes twice
#: What PocketBase's cron knows beside five fields.
_NAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_WHY = (
    "its backup zips the live database and holds off every write for that long (about 7 s a GB), "
    "and its zip holds whatever lies in the data folder"
)


def look_at_pocketbase(config: AgentConfig, places: Places) -> Iterator[Sign]:
    """Ask the running PocketBase for the schedule of its own backups."""
    try:
        with PocketBase(places.pocketbase_url) as server:
            password = config.secret(layout.SUPERUSER_PASSWORD)
            server.login_superuser(config.settings.superuser, password)
            theirs = str(server.get_settings().get("backups", {}).get("cron") or "")
    except TinykitOpsError as error:
        yield Sign(Mark.UNKNOWN, "PocketBase", f"its settings cannot be read: {error.what}")
        return
    yield judge_schedules(config, theirs)


def judge_schedules(config: AgentConfig, theirs: str, local: tzinfo | None = None) -> Sign:
    """Compare PocketBase's schedule, which is in UTC, with ours, in the host's time zone.

    Args:
        theirs: as PocketBase's settings have it; empty for none.
        local: the host's time zone, as the system has it when left out.
    """
    if not theirs:
        return Sign(Mark.GOOD, "PocketBase", "makes no backups of its own by a schedule")
    try:
        wanted = cron.parse(_NAMES.get(theirs, theirs))
    except ValueError:
        said = f"backs up by a schedule of its own that cannot be compared ({theirs!r}): {_WHY}"
        return Sign(Mark.UNKNOWN, "PocketBase", said)
    theirs_runs = _runs(wanted, UTC)
    for job in jobs(config.settings):
        late = timedelta(seconds=job.delay_seconds)
        ours = [time + late for time in _runs(cron.parse(job.schedule), local)]
        if _come_near(ours, theirs_runs):
            return Sign(
                Mark.BAD,
                "PocketBase",
                f"backs up at the same time as we do ({theirs}, in UTC): {_WHY}; right after it "
                "its database has no locks, so nothing but PocketBase may open it",
                "take its schedule away in the dashboard under Backups, or move one of the two",
            )
    said = f"backs up by a schedule of its own too ({theirs}, in UTC), at other times: {_WHY}"
    return Sign(Mark.NOTE, "PocketBase", said)


def _runs(schedule: cron.Schedule, zone: tzinfo | None) -> list[datetime]:
    today = datetime.now(UTC).date()
    days = (today + timedelta(days=number) for number in range(DAYS))
    return [
        datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
        for day in days
        if schedule.runs_on(day)
        for hour in schedule.hours
        for minute in schedule.minutes
    ]


def _come_near(ours: list[datetime], theirs: list[datetime]) -> bool:
    both = sorted([(time, 0) for time in ours] + [(time, 1) for time in theirs])
    return any(
        later[0] - earlier[0] <= NEAR and later[1] != earlier[1]
        for earlier, later in pairwise(both)
    )
