"""The parts of the integration tests that the benchmark runs on: one PocketBase with its agent in
a folder, an S3 server, and writers that note how long each write took."""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).parents[2] / "tests" / "integration"
for _folder in ("", "backup", "pocketbase"):
    sys.path.append(str(_TESTS / _folder))

from backup_kit import ACCESS_KEY, Instance, S3Server, objects  # noqa: E402
from campaign_bench import make_key  # noqa: E402
from load_campaign import LOGIN, ROOT, WRITES  # noqa: E402
from load_checks import Logs  # noqa: E402
from pocketbase_kit import Server, make_template  # noqa: E402

LOAD_WRITER = _TESTS / "backup" / "load_writer.py"

__all__ = [
    "ACCESS_KEY",
    "LOAD_WRITER",
    "LOGIN",
    "ROOT",
    "WRITES",
    "Instance",
    "Logs",
    "S3Server",
    "Server",
    "make_key",
    "make_template",
    "objects",
]
