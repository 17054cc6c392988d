"""`tinykit-ops host release | serve`."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli.host._common import check_option, run_step
from tinykit_ops.host.release_step import ReleaseStep, release_id
from tinykit_ops.host.serving import serve_step


@click.command()
@click.argument("sha256")
@check_option
def release(sha256: str, check: bool) -> int:
    """Unpack the release archive with this SHA-256; the first one becomes the current one."""
    archive = load_agent_config().settings.app.archive or ""
    url = archive if archive.startswith("https://") else ""
    return run_step(ReleaseStep(sha256, url), check)


@click.command()
@click.argument("sha256")
@check_option
def serve(sha256: str, check: bool) -> int:
    """Let the release with this archive hash serve, without a gap."""
    return run_step(serve_step(release_id(sha256)), check)
