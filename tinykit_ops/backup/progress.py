"""How far a backup, a verification or a restore is: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

from tinykit_ops.backup.streams import Whole
from tinykit_ops.backup.targets import Readable, Target


class Progress(Protocol):
    """Is told what is going on; called from several threads."""

    def begin(self, target: str) -> None:
        """A target's turn begins."""
        ...

    def moved(self, count: int) -> None:
        """So many bytes more went to it, or came from it."""
        ...


class Silent:
    """For pipes, cron and tests."""

    def begin(self, target: str) -> None: ...

    def moved(self, count: int) -> None: ...


class _Bars:
    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._task: Any = None

    def begin(self, target: str) -> None:
        self._task = self._bars.add_task(target, total=None)

    def moved(self, count: int) -> None:
        if self._task is not None:
            self._bars.advance(self._task, count)


@contextmanager
def on_terminal() -> Iterator[Progress]:
    """Bars on stderr when that is a terminal. How much there will be is not known before, so they
    show what was moved, and how fast."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeElapsedColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with RichProgress(
        *columns,
        TransferSpeedColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        yield _Bars(bars)


def watched(target: Target, progress: Progress) -> Target:
    """The same target, whose `put` and `get` tell how much went and came."""
    progress.begin(target.name)
    return cast(Target, _Watched(target, progress))


class _Watched:
    def __init__(self, target: Target, progress: Progress) -> None:
        self._target = target
        self._progress = progress

    def put(self, key: str, stream: Readable) -> None:
        if isinstance(stream, Whole):
            self._target.put(key, stream)
            self._progress.moved(len(stream.content))
            return
        self._target.put(key, _Counted(stream, self._progress))

    @contextmanager
    def get(self, key: str) -> Iterator[Readable]:
        with self._target.get(key) as stream:
            yield _Counted(stream, self._progress)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class _Counted:
    """Counts what is read. What a stream can do beside that, it still can."""

    def __init__(self, stream: Readable, progress: Progress) -> None:
        self._stream = stream
        self._progress = progress

    def read(self, size: int = -1, /) -> bytes:
        content = self._stream.read(size)
        self._progress.moved(len(content))
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
