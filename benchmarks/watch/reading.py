"""One look of the watch at a log, in a process of its own: prints how many requests it counted."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.watch.log import BEGINS
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.settings import load_settings
from tinykit_ops.watch import run
from tinykit_ops.watch.state import State, WatchPlaces


def main(log: Path) -> None:
    """Look as cron does, but at this log, and at no host."""
    settings = load_settings(
        {
            "domains": ["apps.example.com"],
            "admin_email": "you@example.com",
            "app": {"archive": "app.tar.zst"},
        },
        where="bench",
    )
    with tempfile.TemporaryDirectory(prefix="tkbench-") as own:
        folder = Path(own)
        places = WatchPlaces(
            folder / "state", folder / "lock", folder / "status", folder / "x" / "y"
        )
        run.log_of = lambda config: log  # type: ignore[assignment]
        state: State = run.look(
            AgentConfig(settings, folder), print, places, lambda state: [], BEGINS
        )
    print(f"requests {state.totals.requests}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
