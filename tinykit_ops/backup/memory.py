"""Keeping memory flat while parts of 8 MiB come and go in several threads."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Of mallopt(3), in glibc's malloc.h.
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3


class Budget:
    """Bytes that all threads together may hold.

    Args:
        size: bytes; who wants more gets them when nobody else holds any.
    """

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._turn = threading.Lock()
        self._change = threading.Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Wait until so many bytes are free, and hold them. First come, first served: a big one is
        not passed by small ones for ever."""
        share = min(size, self._size)
        with self._turn, self._change:
            self._change.wait_for(lambda: self._left >= share)
            self._left -= share
        try:
            yield
        finally:
            with self._change:
                self._left += share
                self._change.notify_all()


def give_back_memory() -> None:
    """Tell the C library to return big blocks at once, and to keep few pools for threads.

    Left alone, glibc keeps what each thread freed: a run that needs 100 MB grew to 180 MB. Where
    the C library is another one, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, 1 << 20)
