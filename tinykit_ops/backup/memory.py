"""Keeping memory flat while parts of 8 MiB come and go in several threads."""

from __future__ import annotations

import ctypes

#: Of mallopt(3), in glibc's malloc.h.
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3


def give_back_memory() -> None:
    """Tell the C library to return big blocks at once, and to keep few pools for threads.

    Left alone, glibc keeps what each thread freed: a run that needs 100 MB grew to 180 MB. Where
    the C library is another one, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, 1 << 20)
