"""How pyinfra is called for a deploy of this checkout."""

from __future__ import annotations

import sys
from pathlib import Path

from tinykit_ops.deploy.templates import ROOT

_PYINFRA = Path(sys.executable).parent / "pyinfra"


def deploy_command(inventory: Path, host: str, deploy: str, *options: str) -> list[str]:
    """The words that run `deploys/DEPLOY` on one host of an inventory, with pyinfra's options."""
    path = str(ROOT / "deploys" / deploy)
    return [str(_PYINFRA), *options, str(inventory), path, "--limit", host]
