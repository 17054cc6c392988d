"""On a verifier: the instances that it knows, a folder each."""

from __future__ import annotations

from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UsageError


def verified_instance(name: str, root: Path = Path(layout.INSTANCES_DIR)) -> Path:
    """The folder of an instance on a verifier. Raises UsageError when it has none."""
    known = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    if name not in known:
        raise UsageError(
            f"This host verifies no instance named {name!r}",
            where=str(root),
            hint=f"known are: {', '.join(known) or 'none; a verifier has them'}",
        )
    return root / name
