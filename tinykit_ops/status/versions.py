"""What is installed on this host, as its links and files say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tinykit_ops import __version__, layout
from tinykit_ops.settings import Settings

UNKNOWN = "?"


def versions_of(settings: Settings) -> dict[str, str]:
    """Program → version; `?` where it cannot be told."""
    proxy = (
        f"caddy {_link(f'{layout.CADDY_HOME}/current')}"
        if settings.edge.kind == "caddy"
        else f"nginx {_package('nginx')}"
    )
    return {
        "tinykit": _commit(),
        "pocketbase": _link(f"{layout.POCKETBASE_HOME}/current"),
        "proxy": proxy,
        "node": _link(f"{layout.NODE_HOME}/current"),
        "agent": f"{__version__} ({_link(layout.AGENT_VENV)[:8]})",
    }


def _commit() -> str:
    """The start of the commit that was built, or of the archive's hash where nobody stated one."""
    try:
        told = json.loads(Path(f"{layout.TINYKIT_CURRENT}/release.json").read_text())
        return str(told["commit"])[:12]
    except (OSError, ValueError, KeyError, TypeError):
        return _link(layout.TINYKIT_CURRENT)[:12]


def _link(path: str) -> str:
    try:
        return Path(path).readlink().name
    except OSError:
        return UNKNOWN


def _package(name: str) -> str:
    words = ["dpkg-query", "-W", "-f", "${Version}", name]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip() or UNKNOWN
