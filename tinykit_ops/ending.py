"""Ending in order: what a person or a closed terminal ends undoes what it began."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """SIGTERM (`lock release`) and SIGHUP (a lost login) end the block as Ctrl-C does.

    Python's own way is to end at once, without a single `finally`. Only the first of them counts,
    so that what is being undone is not cut off as well. Who wants that has SIGKILL.

    Raises:
        KeyboardInterrupt: for Ctrl-C.
        SystemExit: for the others, with 128 and the signal's number, as a shell would say it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are none of its business
        return
    former = {each: signal.getsignal(each) for each in _SIGNALS}
    on_ending(_end)
    try:
        yield
    finally:
        for each, how in former.items():
            signal.signal(each, how)


def on_ending(handler: Callable[[int, FrameType | None], None]) -> None:
    """Have it called when somebody ends this process; what is ignored stays so, as for `nohup`."""
    for each in _SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, handler)


def _end(number: int, _: FrameType | None) -> None:
    for each in _SIGNALS:
        # Not SIG_IGN, which the programs that are started from now on would inherit.
        signal.signal(each, lambda *_: None)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)
