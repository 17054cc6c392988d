"""The settings error in a form that pyinfra prints as one message, without a traceback.

pyinfra lets a `PyinfraError` of an inventory or deploy file through as it is, and its command
leaves the printing and the exit code to a `CliError`. This is both, so a run ends with our own
message and exit code 64. Were it only the first, pyinfra would exit with 1 and put the line of
our code in front.
"""

from __future__ import annotations

from typing import IO, Any

import click
from pyinfra.api.exceptions import PyinfraError

from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.settings.problems import SettingsError
from tinykit_ops.settings.pyinfra_import import without_patching

with without_patching():
    from pyinfra_cli.exceptions import CliError  # type: ignore[import-untyped]


class PrintedByPyinfra(PyinfraError, CliError):  # type: ignore[misc]  # noqa: N818
    """Mixed into one of our errors, it makes pyinfra print that and exit with its code."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print to stderr; called by the `pyinfra` command."""
        click.echo(f"error: {self}", file=file, err=True)


class InventoryError(SettingsError, PrintedByPyinfra):
    """Settings of an inventory are wrong. pyinfra prints it and exits with 64."""


class RunStoppedError(TinykitOpsError, PrintedByPyinfra):
    """Something that a run needs on the controller is wrong or missing."""

    def __init__(self, error: TinykitOpsError) -> None:
        super().__init__(error.what, where=error.where, hint=error.hint)
        self.exit_code = error.exit_code
