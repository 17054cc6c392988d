"""What ends a benchmark: it never prints figures of runs that did not do their work."""

from __future__ import annotations

from tinykit_ops.errors import Exit, TinykitOpsError


class BenchmarkError(TinykitOpsError):
    """A run failed, or did not do what it was timed for."""

    exit_code = Exit.UNAVAILABLE
