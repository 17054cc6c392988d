"""What can go wrong while measuring."""

from __future__ import annotations

from tinykit_ops.errors import TinykitOpsError


class BenchmarkError(TinykitOpsError):
    """It could not be measured; no figure is told."""
