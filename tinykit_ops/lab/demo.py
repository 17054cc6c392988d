"""`scripts/demo`: boot a lab host, provision it, back it up, and print its checklist."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tinykit_ops.cli import run_command
from tinykit_ops.errors import UnavailableError
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab
from tinykit_ops.release.cache import ensure_release

LAB = "demo"
REPOSITORY = "https://github.com/tinykit-studio/tinykit"
COMMIT = "617db3416af227451e18de1f84394888679cf766"  #: the one that tinykit-facts was read from
CADDY_ROOT = "/var/lib/caddy/caddy/pki/authorities/local/root.crt"
_BIN = Path(sys.executable).parent


@click.command()
@click.option("--release", type=click.Choice(["13", "12"]), default="13")
@click.option("--app", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(release: str, app: Path | None) -> int:
    """Bring a bare Debian host to a verified tinykit instance, in the lab."""
    archive, what = _app(app)
    _say(f"The app is {what}.")
    lab = Lab.up(LAB, releases=(release,), progress=_say)
    host = lab.hosts[0]
    _say(f"Provisioning {host.name}, a bare Debian {release} ...")
    _pyinfra(archive)
    _say("The first backup, as cron will make it every night ...")
    host.ssh(["tinykit-ops", "backup", "run"])
    code = _check(lab, host)
    _say(_farewell(lab, host, what))
    return code


def _app(given: Path | None) -> tuple[Path, str]:
    """The archive to run, and in plain words which app it is."""
    if given:
        return given, f"the release archive {given}"
    cache = Path.home() / ".cache" / "tinykit-ops" / "releases"
    if _reachable(REPOSITORY):
        _say("Building tinykit once from its repository; this takes about two minutes ...")
        return ensure_release(REPOSITORY, COMMIT, cache).archive, f"tinykit at {COMMIT[:7]}"
    why = "tinykit's repository cannot be reached, and no archive was given with --app"
    stand_in = f"the lab's contract app, a stand-in that keeps tinykit's flaws ({why})"
    return build_contract_release(cache).archive, stand_in


def _reachable(repository: str) -> bool:
    asked = ["git", "ls-remote", "--exit-code", repository, "HEAD"]
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(asked, capture_output=True, timeout=20, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _pyinfra(archive: Path) -> None:
    environment = {**os.environ, "TINYKIT_LAB": LAB, "TINYKIT_LAB_APP": str(archive)}
    words = [str(_BIN / "pyinfra"), "-y", "inventories/lab.py", "deploys/full.py"]
    _say("$ " + " ".join(["pyinfra", *words[1:]]))
    if subprocess.run(words, env=environment, check=False).returncode != 0:
        raise UnavailableError(
            "The deploy failed",
            where=LAB,
            hint="what failed stands above; run scripts/demo again to go on from there",
        )
    os.environ.update({"TINYKIT_LAB": LAB, "TINYKIT_LAB_APP": str(archive)})


def _check(lab: Lab, host: LabHost) -> int:
    """The checklist: from here, from a stranger's network, and from the host itself."""
    with tempfile.TemporaryDirectory() as folder:
        ca_file = Path(folder) / "ca.pem"
        ca_file.write_text(host.ssh(["cat", CADDY_ROOT]).stdout)
        words = [str(_BIN / "tinykit-ops"), "check", f"https://{host.domain}"]
        words += ["--inventory=inventories/lab.py", f"--ca-file={ca_file}"]
        words += [f"--resolve={host.domain}:{port}:{host.address4}" for port in (80, 443)]
        # The lab has one domain, no mail and nothing that measures it: findings, but mild ones.
        words += [f"--from-netns={lab.names.netns}", "--fail-on=high"]
        return subprocess.run(words, check=False).returncode


def _farewell(lab: Lab, host: LabHost, what: str) -> str:
    return f"""
https://{host.domain} runs {what}.
  see it:      curl -k --resolve {host.domain}:443:{host.address4} https://{host.domain}/
  log in to it: the account is admin@lab.test, its password is in {lab.admin_password}
  look around: .venv/bin/tinykit-ops lab ssh --name {LAB} {host.name}
  end it:      scripts/demo --down"""


def _say(line: str) -> None:
    click.echo(line)


if __name__ == "__main__":
    sys.exit(run_command(command))
