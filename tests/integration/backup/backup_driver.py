"""Runs one `tinykit-ops backup` command with the places of a test: `PLACES CONFIG WORDS…`."""

import json
import sys
from dataclasses import fields
from pathlib import Path

import click

from tinykit_ops.backup.places import Places
from tinykit_ops.cli.backup import command
from tinykit_ops.errors import TinykitOpsError

told = json.loads(sys.argv[1])
kinds = {field.name: Path if field.type == "Path" else str for field in fields(Places)}
places = Places(**{name: kinds[name](value) for name, value in told.items()})
try:
    code = command.main(["--config", sys.argv[2], *sys.argv[3:]], obj=places, standalone_mode=False)
except TinykitOpsError as error:
    click.echo(f"error: {error}", err=True)
    code = error.exit_code
sys.exit(code)
