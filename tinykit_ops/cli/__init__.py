"""The `tinykit-ops` command.

Each module beside this one is a subcommand: `lab.py` defines `command` and becomes
`tinykit-ops lab`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import click

from tinykit_ops import __version__
from tinykit_ops.cli._folder import CommandFolder
from tinykit_ops.cli._unforeseen import bug, reader_is_gone, told
from tinykit_ops.errors import Exit, TinykitOpsError
from tinykit_ops.printable import printable


@click.group(
    cls=CommandFolder,
    package=__name__,
    folders=__path__,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="tinykit-ops")
def cli() -> None:
    """Provision, prove and restore self-hosted tinykit.

    Deploys run with pyinfra: `pyinfra inventories/NAME.py deploys/full.py`.

    \b
    Exit codes: 0 fine, 1 findings, 2 something could not be looked at,
    64 wrong usage or settings, 69 something needed is missing, 70 a bug,
    74 reading or writing failed, 75 busy, 77 not allowed.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit; the only place that turns errors into exit codes."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code; prints errors to stderr."""
    return run_command(cli, argv, "tinykit-ops")


def run_command(
    command: click.Command, argv: Sequence[str] | None = None, name: str | None = None
) -> int:
    """Run any click command as `tinykit-ops` runs its own; see `run`."""
    stdout = sys.stdout
    try:
        result = command.main(args=argv, prog_name=name, standalone_mode=False)
        return result if isinstance(result, int) else Exit.OK
    except TinykitOpsError as error:
        click.echo(f"error: {printable(str(error))}", err=True)
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except SystemExit:
        if sys.stdout is stdout:
            raise
        return reader_is_gone()  # click has put a stand-in in its place
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = told(error)
        click.echo(f"error: {printable(str(problem))}", err=True)
        return problem.exit_code
    except Exception as error:
        return bug(error)
