"""`tinykit-ops host`: the steps of a deploy that the agent does on the host itself."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tinykit_ops import artifacts, layout
from tinykit_ops.agent.config import AgentConfig, load_agent_config
from tinykit_ops.cli import _host_adopt, _host_move, _host_pending
from tinykit_ops.errors import Exit
from tinykit_ops.host import Step, firewall_rules
from tinykit_ops.host.acme_step import AcmeStep
from tinykit_ops.host.alone import alone
from tinykit_ops.host.artifact_step import ArtifactsStep, ArtifactStep
from tinykit_ops.host.bans_step import BansStep
from tinykit_ops.host.certificate_step import CertificateStep
from tinykit_ops.host.claim_step import ClaimStep
from tinykit_ops.host.firewall_sets import FirewallSets
from tinykit_ops.host.firewall_wants import read_wants
from tinykit_ops.host.release_step import ReleaseStep, release_id
from tinykit_ops.host.rotation_step import RotationStep
from tinykit_ops.host.runtime_step import RuntimeStep
from tinykit_ops.host.secrets_step import SecretsStep
from tinykit_ops.host.serving import serve_step
from tinykit_ops.host.verifier_step import VerifierStep
from tinykit_ops.upgrade import here
from tinykit_ops.upgrade.journal import Upgrade

HOMES = {
    "node": layout.NODE_HOME,
    "pocketbase": layout.POCKETBASE_HOME,
    "caddy": layout.CADDY_HOME,
}

check_option = click.option(
    "--check", is_flag=True, help="Only say what is left to do: exit 0 when nothing is, else 1."
)


@click.group()
def command() -> None:
    """Steps of a deploy, run by it on the host (root only)."""


for step in (
    _host_adopt.adopt_prepare,
    _host_adopt.adopt_stop,
    _host_adopt.adopt_finish,
    _host_adopt.adopt_loss,
    _host_adopt.adopt_back,
):
    command.add_command(step)


@command.command()
@check_option
def secrets(check: bool) -> int:
    """Make the secrets that the settings did not give, and tinykit's environment file."""
    return _run(SecretsStep(load_agent_config().settings), check)


@command.command()
@check_option
def rotation(check: bool) -> int:
    """Finish a rotation of secrets that was interrupted."""
    return _run(RotationStep(load_agent_config(), click.echo), check)


@command.command()
@click.argument("names", type=click.Choice(list(HOMES)), nargs=-1, required=True)
@check_option
def artifact(names: tuple[str, ...], check: bool) -> int:
    """Install pinned programs and point the `current` link of each at it."""
    config = load_agent_config()
    steps = [
        # PocketBase's link is switched by its own step, with the care that its data needs.
        ArtifactStep(_artifact(name, config), Path(HOMES[name]), switches=name != "pocketbase")
        for name in names
    ]
    return _run(ArtifactsStep(steps), check)


@command.command()
@check_option
def verifier(check: bool) -> int:
    """Install what verifying other hosts' backups needs."""
    return _run(VerifierStep(), check)


@command.command()
@click.argument("sha256")
@check_option
def release(sha256: str, check: bool) -> int:
    """Unpack the release archive with this SHA-256; the first one becomes the current one."""
    archive = load_agent_config().settings.app.archive or ""
    url = archive if archive.startswith("https://") else ""
    return _run(ReleaseStep(sha256, url), check)


@command.command()
@click.argument("sha256")
@check_option
def serve(sha256: str, check: bool) -> int:
    """Let the release with this archive hash serve, without a gap."""
    return _run(serve_step(release_id(sha256)), check)


@command.command()
@click.argument("base_sha256", default="")
@check_option
def runtime(base_sha256: str, check: bool) -> int:
    """Have what the runtime needs, such as images; stop what runs in the other runtime."""
    return _run(RuntimeStep(load_agent_config().settings, base_sha256), check)


@command.command()
@check_option
def pocketbase(check: bool) -> int:
    """Let the PocketBase of the settings serve; where it has data, by a tried upgrade."""
    here.wait_for_switch()
    return _run(here.step(load_agent_config()), check)


@command.command("pocketbase-switch", hidden=True)
@click.argument("upgrade")
def pocketbase_switch(upgrade: str) -> int:
    """Replace the server, inside the unit that `pocketbase` makes for it."""
    pause = here.switch(load_agent_config()).run(Upgrade.model_validate_json(upgrade))
    click.echo(f"PocketBase was away for {pause * 1000:.0f} ms")
    return Exit.OK


@command.command("pocketbase-settle", hidden=True)
def pocketbase_settle() -> int:
    """Bring an interrupted `pocketbase-switch` to its end."""
    here.switch(load_agent_config()).settle()
    return Exit.OK


@command.command()
@check_option
def claim(check: bool) -> int:
    """Close sign-up and tinykit's settings, make the first account, seed the domains."""
    config = load_agent_config()
    return _run(ClaimStep(config.settings, config.secret), check)


@command.command("firewall-sets")
@check_option
def firewall_sets(check: bool) -> int:
    """Fill the firewall's sets: resolvers, the language model's address, the CDN's networks."""
    return _run(FirewallSets(read_wants()), check)


@command.command("firewall-refresh")
def firewall_refresh() -> int:
    """Find out anew what the sets hold; what cannot be had stays as it was."""
    problems = FirewallSets(read_wants()).refresh()
    for problem in problems:
        click.echo(f"kept as it was: {problem}", err=True)
    return Exit.UNAVAILABLE if problems else Exit.OK


@command.command("firewall-apply")
@click.argument("token", default="")
@check_option
def firewall_apply(token: str, check: bool) -> int:
    """Put new firewall rules on trial, until a new login confirms them."""
    if check:
        left = firewall_rules.pending()
        for what in left:
            click.echo(what)
        return Exit.FINDINGS if left else Exit.OK
    with alone():
        tried = firewall_rules.apply(token, read_wants().ssh_port)
    click.echo("on trial" if tried else "unchanged")
    return Exit.OK


@command.command("firewall-confirm")
@click.argument("token", default="")
def firewall_confirm(token: str) -> int:
    """Keep the firewall rules that are on trial. Only a new SSH login can say so."""
    firewall_rules.confirm(token)
    click.echo("the new firewall rules stay")
    return Exit.OK


@command.command("firewall-wait")
@click.argument("token")
def firewall_wait(token: str) -> int:
    """Wait until somebody confirms the rules of a run, or they are gone."""
    seconds = read_wants().confirm_seconds
    return Exit.OK if firewall_rules.wait(token, seconds) else Exit.FINDINGS


@command.command("firewall-rollback")
def firewall_rollback() -> int:
    """Go back to the firewall rules before those on trial."""
    click.echo(firewall_rules.roll_back())
    return Exit.OK


@command.command()
@check_option
def acme(check: bool) -> int:
    """Get the certificates that nginx shows from the ACME authority, by certbot."""
    return _run(AcmeStep(load_agent_config().settings), check)


@command.command("acme-install")
def acme_install() -> int:
    """Give nginx what certbot renewed; certbot runs this, also while `acme` runs certbot."""
    AcmeStep(load_agent_config().settings).install()
    return Exit.OK


@command.command()
@check_option
def bans(check: bool) -> int:
    """Lift bans of addresses that the settings trust."""
    return _run(BansStep(load_agent_config().settings), check)


@command.command()
@check_option
def certificate(check: bool) -> int:
    """Make or renew the certificates that nginx has from nobody else."""
    return _run(CertificateStep(load_agent_config().settings), check)


def _artifact(name: str, config: AgentConfig) -> artifacts.Artifact:
    if name != "pocketbase":
        return artifacts.find(name)
    chosen = config.settings.pocketbase
    return artifacts.find(name, chosen.version, chosen.sha256)


def _run(step: Step, check: bool) -> int:
    left = step.pending()
    for what in left:
        click.echo(what)
    if check:
        return Exit.FINDINGS if left else Exit.OK
    if left:
        # Programs and releases are for other users than root, whatever the login's umask is.
        os.umask(0o022)
        with alone():
            step.apply()
    return Exit.OK


command.add_command(_host_move.move)
command.add_command(_host_pending.pending)
