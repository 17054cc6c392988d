"""A lab of the benchmark's own: fresh hosts, and nothing of it left at the end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from benchmarks.provision.errors import BenchmarkError
from tinykit_ops.lab.errors import LabNotFoundError
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

_INVENTORY = """\
from pathlib import Path

from tinykit_ops.lab.inventory import lab_hosts

hosts = lab_hosts({lab!r}, app=Path({app!r}))
"""


@dataclass(frozen=True)
class Setting:
    """Where runs happen.

    Attributes:
        lab: the lab's name.
        release: Debian's ("13", "12").
        app: the release archive of tinykit that is deployed.
        folder: for files of this benchmark, 0700.
        source: the checkout whose deploys run.
    """

    lab: str
    release: str
    app: Path
    folder: Path
    source: Path

    @property
    def inventory(self) -> Path:
        """An inventory for pyinfra of the one host in the lab."""
        path = self.folder / "inventory.py"
        path.write_text(_INVENTORY.format(lab=self.lab, app=str(self.app)))
        return path


@contextmanager
def fresh_host(setting: Setting) -> Iterator[LabHost]:
    """A host that was never used; its lab goes when the block ends, however it ends."""
    try:
        yield Lab.up(setting.lab, releases=[setting.release]).hosts[0]
    finally:
        with _undisturbed(), suppress(LabNotFoundError):
            Lab.load(setting.lab).down()


def refuse_used_name(lab: str) -> None:
    """Raises: BenchmarkError when there is a lab of this name, which is somebody's."""
    with suppress(LabNotFoundError):
        Lab.load(lab)
        raise BenchmarkError(
            f"There is a lab {lab!r} already, and this benchmark makes and removes its own.",
            hint=f"Remove it with `tinykit-ops lab down --name {lab}`, or give --lab another name.",
        )


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the run as Ctrl-C does, so that the lab is removed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt, signal.SIGTERM, signal.SIGHUP):
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C shall not leave half a lab."""
    with _handled(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        yield


_Handler = Callable[[int, FrameType | None], None] | signal.Handlers


@contextmanager
def _handled(handler: _Handler, *numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
