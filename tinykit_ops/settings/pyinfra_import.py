"""Importing parts of the `pyinfra` command into another program, without its side effect.

`import pyinfra_cli` lets gevent replace the sockets, locks and TLS of the whole process. That is
right for the `pyinfra` command. Here it would come too late: boto3 ends in a RecursionError
after it, and threads that run already wait for ever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_patching() -> Iterator[None]:
    """Inside, `pyinfra_cli` can be imported and gevent keeps its hands off the process."""
    from gevent import monkey  # type: ignore[import-untyped]

    if "pyinfra_cli" in sys.modules:  # this is the `pyinfra` command
        yield
        return
    patch_all = monkey.patch_all
    monkey.patch_all = lambda *_, **__: True
    try:
        yield
    finally:
        monkey.patch_all = patch_all
