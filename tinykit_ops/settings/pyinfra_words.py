"""What pyinfra says of a host, kept for the end of a run.

It prints why a host could not be reached once, among the first lines, and keeps it nowhere. An
inventory is read before pyinfra connects, so `check_inventory` begins to listen.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_OF_A_HOST = re.compile(r"\s*\[([^\]\s]+)\]\s+(.*\S)")
_MOST = 20  #: last lines of a host


class Words(logging.Handler):
    """The errors that pyinfra logs, by host."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.of: defaultdict[str, list[str]] = defaultdict(list)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line like "[host] what happened"."""
        found = _OF_A_HOST.match(_ANSI.sub("", record.getMessage()))
        if found:
            name, said = found.groups()
            self.of[name] = [*self.of[name], said][-_MOST:]


WORDS = Words()


def listen() -> None:
    """Begin to keep what the `pyinfra` command says; a second time changes nothing."""
    from pyinfra import logger

    logger.addHandler(WORDS)
