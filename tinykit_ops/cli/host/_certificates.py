"""`tinykit-ops host acme | acme-install | certificate`: what nginx shows."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli.host._common import check_option, run_step
from tinykit_ops.errors import Exit
from tinykit_ops.host.acme_step import AcmeStep
from tinykit_ops.host.certificate_step import CertificateStep


@click.command()
@check_option
def acme(check: bool) -> int:
    """Get the certificates that nginx shows from the ACME authority, by certbot."""
    return run_step(AcmeStep(load_agent_config().settings), check)


@click.command("acme-install")
def acme_install() -> int:
    """Give nginx what certbot renewed; certbot runs this, also while `acme` runs certbot."""
    AcmeStep(load_agent_config().settings).install()
    return Exit.OK


@click.command()
@check_option
def certificate(check: bool) -> int:
    """Make or renew the certificates that nginx has from nobody else."""
    return run_step(CertificateStep(load_agent_config().settings), check)
