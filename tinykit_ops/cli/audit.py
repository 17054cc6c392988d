"""`tinykit-ops audit`: who changed what on this host."""

from __future__ import annotations

import json

import click

from tinykit_ops.errors import Exit
from tinykit_ops.host import audit
from tinykit_ops.report.audit import audit_text


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--last", default=30, show_default=True, type=click.IntRange(1), help="How many.")
def command(form: str, last: int) -> int:
    """Show who changed what on this host: runs of pyinfra, and commands.

    `unfinished`: no line says how it ended; it is at work still, or the power went.

    Exit codes: 0 shown, 74 the file cannot be read, 77 not root.
    """
    entries, damaged = audit.read()
    shown = entries[-last:]
    if form == "json":
        document = {"format": 1, "damaged_lines": damaged, "entries": [e.to_json() for e in shown]}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(audit_text(shown, damaged), nl=False)
    return Exit.OK
