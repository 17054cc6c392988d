"""One look: read what is new, judge it, and tell what is news."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.notify import WATCH, Notifier
from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.backup.status import read_status
from tinykit_ops.errors import TinykitOpsError, UsageError
from tinykit_ops.settings.watch import WatchSettings
from tinykit_ops.watch import hostlook
from tinykit_ops.watch.follow import Follower
from tinykit_ops.watch.judge import judge
from tinykit_ops.watch.lines import read_line
from tinykit_ops.watch.metrics import write_metrics
from tinykit_ops.watch.problems import Grade, News, Reading, follow, is_quiet
from tinykit_ops.watch.state import State, WatchPlaces, read_state, write_state
from tinykit_ops.watch.traffic import LATE, SLICE, Slice, count, ended

_OLD = 4 * SLICE  #: seconds; traffic of before is learnt from, and alarms nobody any more
_OWED = 100  #: news that is kept for a channel that does not answer


class ProblemError(TinykitOpsError):
    """Something is wrong; people are told."""


@dataclass
class Engine:
    """Judges by what is remembered, and remembers; knows no files and no clock."""

    state: State
    wanted: WatchSettings

    def take_slice(self, one: Slice, now: float) -> list[News]:
        """Five minutes of traffic have ended."""
        news = []
        if now - one.start <= SLICE + _OLD:
            news = self.take(judge(one, self.state.learnt, self.wanted.login_failures), now)
        self.state.learnt.learn(one)
        return news

    def take(self, readings: Iterable[Reading], now: float) -> list[News]:
        """Readings of a look."""
        found = (follow(self.state.watched, reading, now) for reading in readings)
        return [one for one in found if one is not None]


def look(
    config: AgentConfig,
    log: Callable[[str], None],
    places: WatchPlaces | None = None,
    readings: Callable[[State], Iterable[Reading]] | None = None,
    now: float | None = None,
) -> State:
    """Look once, and tell the channels.

    Args:
        log: is told lines for the journal.
        readings: of the host; the real ones when left out.

    Raises:
        BackupBusyError: another look is still running.
        StorageError, OSError: the state cannot be read or written.
    """
    places, now = places or WatchPlaces(), time.time() if now is None else now
    with only_one(places.lock, what="A look of the watch"):
        state = read_state(places.file, log)
        engine = Engine(state, config.settings.watch)
        news = list(_traffic(engine, log_of(config), now, log))
        of_host = readings(state) if readings else host_readings(config, state, places, now)
        news += engine.take(of_host, now)
        for one in news:
            log(f"{'over' if one.over else 'PROBLEM'}: {one.id} ({one.grade}): {one.text}")
        notifier = Notifier(config, str(uuid.uuid4()), job=WATCH)
        tells = config.settings.watch.enabled  # else only metrics are wanted
        _owe(state, notifier.channels() if tells else [], news)
        # Kept before anybody is told: a look that is killed while it tells does not judge twice.
        state.looked = now
        write_state(places.file, state)
        if tells:
            if _tell(state, notifier, config.settings.watch, now):
                write_state(places.file, state)
            notifier.alive()
        for failure in notifier.failures:
            log(f"warning: {failure}")
        write_metrics(places.metrics, config.settings, state)
    return state


def log_of(config: AgentConfig) -> Path:
    """The edge's access log."""
    nginx = config.settings.edge.kind == "nginx"
    return Path(layout.NGINX_LOGS if nginx else layout.CADDY_LOGS) / "access.log"


def host_readings(
    config: AgentConfig, state: State, places: WatchPlaces, now: float
) -> Iterator[Reading]:
    """All readings of the host that are due."""
    settings = config.settings
    yield from hostlook.disks(settings.watch)
    yield hostlook.memory(settings.watch)
    yield from hostlook.units(settings)
    yield from hostlook.firewall(settings)
    yield from hostlook.backups(read_status(places.backup_status), settings.watch, now)
    if not 0 <= now - state.certificates < hostlook.CERTIFICATES_EVERY:
        seen, unseen = hostlook.certificates(settings)
        state.certificates = now
        state.shown = {one.host: (one.starts.timestamp(), one.ends.timestamp()) for one in seen}
        yield hostlook.certificate_reading(seen, settings.watch, datetime.fromtimestamp(now, UTC))
        yield hostlook.missing_reading(seen, unseen)


def try_channels(config: AgentConfig) -> dict[str, bool]:
    """Send a message over each channel. Returns which were reached.

    Raises:
        UsageError: the settings name no channel.
    """
    notifier = Notifier(config, str(uuid.uuid4()), job=WATCH)
    names = notifier.channels()
    if not names:
        raise UsageError(
            "The settings name nobody to tell",
            where="backup.notify",
            hint="set webhook_url, ntfy_url or email",
        )
    test = Outcome("test", said="this is a test of `tinykit-ops watch test`; all is well")
    return {name: notifier.tell(name, [test]) for name in names}


def _traffic(engine: Engine, path: Path, now: float, log: Callable[[str], None]) -> Iterator[News]:
    state = engine.state
    if state.since > now:  # the clock was ahead at an earlier look; nothing would count until then
        state.since = int(now - LATE) // SLICE * SLICE
        state.slices = {start: one for start, one in state.slices.items() if start <= now}
    follower = Follower(path, state.position)
    hits = (hit for line in follower.lines() if (hit := read_line(line)) is not None)
    for one in state.slices.values():
        state.totals.add(one, -1)
    for old in count((hit for hit in hits if hit.time >= state.since), state.slices):
        state.learnt.learn(old)
        state.totals.add(old)
    for one in state.slices.values():
        state.totals.add(one)
    state.position = follower.position
    if follower.gap:
        log(f"warning: a part of {path} was removed before it was read")
    for one in ended(state.slices, state.since, now):
        yield from engine.take_slice(one, now)
        state.since = one.start + SLICE


def _owe(state: State, channels: list[str], news: list[News]) -> None:
    state.owed = {name: [*state.owed.get(name, []), *news][-_OWED:] for name in channels}


def _tell(state: State, notifier: Notifier, wanted: WatchSettings, now: float) -> bool:
    """Tell each channel what it is owed. Returns whether anybody was told anything."""
    hour = datetime.fromtimestamp(now).hour
    quiet, told = is_quiet(hour, wanted.quiet_from, wanted.quiet_until), False
    for channel, owed in state.owed.items():
        due = [one for one in owed if one.grade == Grade.CRITICAL or not quiet]
        if due and notifier.tell(channel, [_outcome(one) for one in due]):
            state.owed[channel] = [one for one in owed if one not in due]
            told = True
    return told


def _outcome(news: News) -> Outcome:
    if news.over:
        return Outcome(news.id, said=news.text)
    return Outcome(news.id, error=ProblemError(news.text))
