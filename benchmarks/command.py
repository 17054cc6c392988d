"""How every benchmark's command ends: an exit code, and one message when something went wrong."""

from __future__ import annotations

import sys

import click

from tinykit_ops.errors import Exit, TinykitOpsError


def run(command: click.Command) -> None:
    """Run it; errors end in one message. What it made is removed by itself, also after Ctrl-C."""
    try:
        command.main(standalone_mode=False)
    except TinykitOpsError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; nothing stays", err=True)
        sys.exit(Exit.INTERRUPTED)
