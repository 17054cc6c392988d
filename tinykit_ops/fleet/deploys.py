"""How pyinfra is called for a deploy of this checkout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tinykit_ops.deploy.templates import ROOT

_PYINFRA = Path(sys.executable).parent / "pyinfra"


def deploy_command(inventory: Path, host: str, deploys: Sequence[str], *options: str) -> list[str]:
    """The words that run files of `deploys/` on one host, with pyinfra's options."""
    paths = [str(ROOT / "deploys" / deploy) for deploy in deploys]
    return [str(_PYINFRA), *options, str(inventory), *paths, "--limit", host]
