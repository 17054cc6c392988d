"""Looking at a host: from the controller over pyinfra, or by the agent on it."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from tinykit_ops.adopt.facts import Facts, read_facts
from tinykit_ops.errors import UnavailableError
from tinykit_ops.fleet.shell import run_script

#: Prints the first value of a variable that a process, or the `.env` of its folder, has.
_VALUE = """\
folder=/proc/PID/root$(readlink /proc/PID/cwd)
{ tr '\\0' '\\n' </proc/PID/environ; cat "$folder/.env"; } 2>/dev/null |
  sed -n 's/^NAME=//p' | sed 's/^["'\\'']//; s/["'\\'']$//' | grep -m 1 . | tr -d '\\n' | base64 -w0
"""


def script() -> str:
    """The script that looks; it only reads."""
    return files("tinykit_ops.adopt").joinpath("look.sh").read_text()


def look_from_afar(host: str, data: Mapping[str, Any]) -> Facts:
    """Look at another host. Raises UnavailableError when that cannot be done."""
    return read_facts(run_script(host, data, script()))


def look_here() -> Facts:
    """Look at this host. Raises UnavailableError when that cannot be done."""
    try:
        done = subprocess.run(
            ["sh", "-s"], input=script(), capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError("This host could not be looked at within two minutes") from None
    return read_facts(done.stdout)


def secret_value(host: str, data: Mapping[str, Any], pid: int, name: str) -> str:
    """The value of a variable of a process on a host, such as `LLM_API_KEY`; never shown."""
    said = run_script(host, data, _VALUE.replace("PID", str(pid)).replace("NAME", name))
    return base64.b64decode(said).decode()
