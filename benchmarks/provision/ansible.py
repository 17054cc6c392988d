"""Ansible as a skilled user sets it up: pipelining, ControlPersist, no facts, its own venv."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.provision import timed_run
from benchmarks.provision.errors import BenchmarkError
from benchmarks.provision.timed_run import Run
from tinykit_ops.lab.host import LabHost

#: The newest line that runs on Python 3.11, Debian 12's.
REQUIREMENT = "ansible-core>=2.19,<2.20"
PLAYBOOK = Path(__file__).with_name("playbook.yml")

# ControlPersist outlives the gaps between runs: only the first, untimed one logs in over SSH.
_CONFIG = """\
[defaults]
inventory = {folder}/hosts.ini
forks = {forks}
gathering = explicit
host_key_checking = True
retry_files_enabled = False
nocows = True
[connection]
pipelining = True
[ssh_connection]
pipelining = True
ssh_args = {ssh_options}
control_path_dir = {folder}/cp
"""
_SSH_OPTIONS = (
    "-F /dev/null -o ControlMaster=auto -o ControlPersist=600s -o IdentitiesOnly=yes "
    "-o UserKnownHostsFile={known_hosts} -o GlobalKnownHostsFile=/dev/null "
    "-o StrictHostKeyChecking=yes"
)
_HOSTS = (
    "{name} ansible_host={address} ansible_user=root ansible_ssh_private_key_file={key} "
    "ansible_python_interpreter=/usr/bin/python3\n"
)
_RECAP = re.compile(r"^\S+\s*: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)
_HEADING = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(.*)\]")
_KINDS = ("folders", "files", "links", "absents", "units")


def ensure_ansible(report: Callable[[str], None]) -> Path:
    """The folder of programs of a virtual environment with ansible-core, made once.

    Raises: BenchmarkError when pip cannot bring it.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tinykit-ops"
    venv = cache / "benchmarks" / re.sub(r"[^a-z0-9.]+", "-", REQUIREMENT)
    done = venv / ".complete"
    if not done.exists():
        report(f"installing {REQUIREMENT} into {venv}")
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
        for command in ([sys.executable, "-m", "venv", "--clear", str(venv)], [*pip, REQUIREMENT]):
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise BenchmarkError(
                    f"Ansible cannot be installed: {made.stderr.strip()[-500:]}", where=str(venv)
                )
        done.touch()
    return venv / "bin"


def version(programs: Path) -> str:
    """ "ansible-core 2.19.14, Python 3.11.2, jinja 3.1.6" """
    said = subprocess.run(
        [str(programs / "ansible"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    core = re.search(r"\[core ([^\]]+)\]", said)
    return f"ansible-core {core.group(1) if core else 'unknown'}"


def uncovered(resources: Mapping[str, Any], playbook: str) -> list[str]:
    """What the deploys want and the playbook does not mention: empty when it covers all.

    Args:
        resources: as `resources.read_resources` returns it.
        playbook: its text.
    """
    missing = [key for key in ("packages", "users") if f"{{{{ {key} }}}}" not in playbook]
    for concern, wanted in resources["concerns"].items():
        names = [kind for kind in _KINDS if wanted[kind]]
        names += [f"steps[{number}]" for number in range(len(wanted["steps"]))]
        missing += [
            f"concerns.{concern}.{name}"
            for name in names
            if f"concerns.{concern}.{name}" not in playbook
        ]
    return missing


class Ansible:
    """The playbook, set up for hosts of one lab.

    Args:
        programs: see `ensure_ansible`.
        folder: for its configuration and sockets, 0700; its path must be short (sockets).
        variables: each host, and what the deploys want of it.
    """

    def __init__(
        self, programs: Path, folder: Path, variables: Sequence[tuple[LabHost, Path]]
    ) -> None:
        self.programs = programs
        self.folder = folder
        known_hosts = variables[0][0].known_hosts
        options = _SSH_OPTIONS.format(known_hosts=known_hosts)
        config = _CONFIG.format(folder=folder, ssh_options=options, forks=len(variables))
        (folder / "ansible.cfg").write_text(config)
        (folder / "host_vars").mkdir(mode=0o700, exist_ok=True)
        rows = []
        for host, path in variables:
            _refuse_uncovered(json.loads(path.read_text()))
            rows.append(_HOSTS.format(name=host.name, address=host.address4, key=host.key))
            link = folder / "host_vars" / f"{host.name}.json"
            link.unlink(missing_ok=True)
            link.symlink_to(path)
        (folder / "hosts.ini").write_text("".join(rows))

    def play(self, *options: str, timeout: float | None = None) -> Run:
        """Run the playbook. Raises: BenchmarkError when it fails."""
        words = ["ansible-playbook", *options, str(PLAYBOOK)]
        return timed_run.run(
            [str(self.programs / words[0]), *words[1:]],
            cwd=self.folder,
            environment=self._environment,
            timeout=timeout,
        )

    def close(self) -> None:
        """End the SSH connection that ControlPersist keeps."""
        for socket in (self.folder / "cp").glob("*"):
            command = ["ssh", "-F", "/dev/null", "-o", f"ControlPath={socket}", "-O", "exit", "-"]
            subprocess.run(command, capture_output=True, check=False)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "1",
        }


def _refuse_uncovered(resources: Mapping[str, Any]) -> None:
    if missing := uncovered(resources, PLAYBOOK.read_text()):
        raise BenchmarkError(
            f"The playbook does less than the deploys: it leaves out {', '.join(missing)}.",
            where=str(PLAYBOOK),
            hint="Add tasks for them, or the comparison is not fair.",
        )


def changes(run: Run) -> dict[str, int]:
    """How many tasks changed something, by host. Raises: BenchmarkError without a recap."""
    found = {row.split()[0]: int(_RECAP.findall(row)[0][1]) for row in _recap_lines(run)}
    if not found:
        raise BenchmarkError("ansible-playbook printed no recap.")
    return found


def _recap_lines(run: Run) -> list[str]:
    return [line for _, line in run.lines if _RECAP.match(line)]


def changed(run: Run) -> list[str]:
    """The tasks of a run that changed something. Raises: BenchmarkError without a recap."""
    recaps = _RECAP.findall(run.output)
    if len(recaps) != 1:
        raise BenchmarkError("ansible-playbook printed no recap of one host.")
    found, task = [], ""
    for _, line in run.lines:
        if heading := _HEADING.match(line):
            task = heading.group(1)
        elif line.startswith("changed:") and task not in found:
            found.append(task)
    if len(found) != int(recaps[0][1]):
        raise BenchmarkError(f"ansible-playbook counts {recaps[0][1]} changes, not {found}.")
    return found


def tasks(run: Run) -> int:
    """How many tasks of a run were done, each item of a loop not counted."""
    return sum(int(row[0]) for row in _RECAP.findall(run.output))
