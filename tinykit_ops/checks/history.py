"""What the nightly checks came to, one JSON object a line; old lines go, newest ones stay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tinykit_ops.checks.model import Outcome, Severity
from tinykit_ops.checks.runner import InstanceReport, Report
from tinykit_ops.errors import AccessError, StorageError, UsageError
from tinykit_ops.report.files import write_private

KEEP = 400  #: lines; one a night is more than a year


@dataclass(frozen=True)
class Night:
    """One look at one instance.

    Attributes:
        time: when it began.
        counts: results by outcome.
        findings: severity by id of what failed.
        unknown: ids of what could not be looked at.
        new, fixed: ids, compared with the look before.
        untold: ids that no hook could tell, so that the next look tells them again.
    """

    time: datetime
    target: str
    version: str
    seconds: float
    counts: dict[Outcome, int]
    findings: dict[str, Severity]
    unknown: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Its line."""
        data = asdict(self)
        data["time"] = self.time.isoformat(timespec="seconds")
        return json.dumps(data, ensure_ascii=False)


@dataclass(frozen=True)
class History:
    """The lines of a file, the oldest first.

    Attributes:
        damaged: how many lines could not be read; they are left out.
    """

    nights: Sequence[Night] = field(default_factory=tuple)
    damaged: int = 0


def nights_of(report: Report, differences: Report, untold: Iterable[str] = ()) -> list[Night]:
    """A line for every instance of a report.

    Args:
        differences: the same report, compared with the one before.
    """
    pairs = zip(report.instances, differences.instances, strict=True)
    return [_night(now, changed, tuple(untold)) for now, changed in pairs]


def _night(now: InstanceReport, changed: InstanceReport, untold: tuple[str, ...]) -> Night:
    return Night(
        now.started,
        now.target,
        now.version,
        now.seconds,
        {outcome: len(now.having(outcome)) for outcome in Outcome},
        {each.check.id: each.check.severity for each in now.having(Outcome.FAIL)},
        tuple(each.check.id for each in now.having(Outcome.UNKNOWN)),
        tuple(each.check.id for each in changed.results),
        tuple(each.check.id for each in changed.fixed),
        untold,
    )


def read_history(path: Path) -> History:
    """Read a file of history; without one it is empty.

    Raises:
        AccessError: this user may not read it.
        StorageError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return History()
    except PermissionError:
        raise AccessError(
            "This user may not read the history", where=str(path), hint="run this as root"
        ) from None
    except OSError as error:
        raise StorageError(
            f"The history cannot be read: {error.strerror}", where=str(path)
        ) from None
    read = [_read(line) for line in lines if line.strip()]
    nights = [night for night in read if night is not None]
    return History(nights, len(read) - len(nights))


def append_history(path: Path, nights: Sequence[Night], keep: int = KEEP) -> None:
    """Add lines, and let the oldest go.

    Raises:
        AccessError, StorageError, CannotWriteReportError: the file stays as it was.
    """
    kept = [*read_history(path).nights, *nights][-keep:]
    write_private(path, "".join(f"{night.to_json()}\n" for night in kept))


def last_nights(path: Path, number: int) -> History:
    """The newest lines, for a person.

    Raises:
        UsageError: there is none.
        AccessError, StorageError: see `read_history`.
    """
    history = read_history(path)
    if not history.nights:
        raise UsageError(
            "There is no history of checks on this machine",
            where=str(path),
            hint="the host keeps one from its first nightly check on; `tinykit-ops check "
            "scheduled` makes one now",
        )
    return History(history.nights[-number:], history.damaged)


def _read(line: str) -> Night | None:
    try:
        data: dict[str, Any] = json.loads(line)
        return Night(
            datetime.fromisoformat(data["time"]),
            str(data["target"]),
            str(data["version"]),
            float(data["seconds"]),
            {each: int(data["counts"].get(each.value, 0)) for each in Outcome},
            {str(name): Severity(severity) for name, severity in data["findings"].items()},
            *(tuple(map(str, data[name])) for name in ("unknown", "new", "fixed", "untold")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
