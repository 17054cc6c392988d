"""The moments at which a backup is killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from faulty_proxy import Fault, FaultyProxy, Request


@dataclass(frozen=True)
class Point:
    """A moment, and how to kill then: `armed` is entered right after the start of the run."""

    name: str
    armed: Callable[[Callable[[], None]], AbstractContextManager[None]]


def at_time(seconds: float) -> Point:
    """So long after the start."""

    @contextmanager
    def armed(kill: Callable[[], None]) -> Iterator[None]:
        timer = threading.Timer(seconds, kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    return Point(f"after {seconds:.2f} s", armed)


def at_request(proxy: FaultyProxy, number: int, *, after: bool) -> Point:
    """When the S3 server is about to get its request of that number, or has just done it."""
    seen = 0

    def counted(_: Request) -> bool:
        nonlocal seen
        seen += 1
        return seen >= number

    name = f"{'after' if after else 'before'} request {number}"
    return Point(name, _killing(proxy, counted, after=after))


def at_completion(proxy: FaultyProxy, *, after: bool) -> Point:
    """When a big upload's parts are put together. Once that is done, nothing is left to continue:
    the next run must see by itself that all is there."""
    name = f"{'after' if after else 'before'} the completing of a big upload"
    return Point(name, _killing(proxy, _completes, after=after))


def _completes(request: Request) -> bool:
    return request.method == "POST" and "/uploads/" in request.path and "uploadId=" in request.path


def _killing(
    proxy: FaultyProxy, here: Callable[[Request], bool], *, after: bool
) -> Callable[[Callable[[], None]], AbstractContextManager[None]]:
    """`lost`: the server does it and nobody hears; `drop`: the server never gets it."""

    @contextmanager
    def armed(kill: Callable[[], None]) -> Iterator[None]:
        killed = threading.Event()

        def kill_here(request: Request) -> bool:
            if here(request):
                kill()
                killed.set()
            return killed.is_set()

        proxy.faults = [
            Fault("lost" if after else "drop", kill_here, 1),
            Fault("drop", lambda _: killed.is_set()),
        ]
        try:
            yield
        finally:
            proxy.faults = []

    return armed
