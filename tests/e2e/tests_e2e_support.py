"""Running the real commands of a user, and reading what they say."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
DEPLOY_SECONDS = 900
#: For what comes after a while: long enough for a machine that stands still in between.
PATIENCE = 180.0
#: Shell: `apt`, for what a test itself puts on a host; it bears a mirror that is away for a while.
APT = """\
export DEBIAN_FRONTEND=noninteractive
apt() {
  for pause in 5 10 20 30 30 30; do apt-get -qq "$@" && return; sleep $pause; done
  apt-get -qq "$@"
}
"""


T = TypeVar("T")


def until(look: Callable[[], T], seconds: float = PATIENCE, pause: float = 0.2) -> T:
    """Look again and again until something true is seen, or the time is over; the last look."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(pause)
    return seen


@dataclass(frozen=True)
class Run:
    """A finished run of pyinfra."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def report(self) -> dict[str, Any]:
        """pyinfra's JSON. Raises: AssertionError, with its last words, when it printed none."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"no report, exit {self.code}: {self.err[-3000:]}") from None

    def changed(self, host: str) -> list[str]:
        """Names of the operations that changed something on a host."""
        operations = self.report["results"]["operations"]
        return [op["name"] for op in operations if host in op["success"]]

    def failed(self) -> list[str]:
        """Names of the operations that failed anywhere."""
        return [op["name"] for op in self.report["results"]["operations"] if op["error"]]


#: The runtime of every inventory that names none; the hosts of the labs are made for it.
RUNTIME = os.environ.get("TINYKIT_E2E_RUNTIME", "systemd")


class Provisioner:
    """Writes inventories for lab hosts and runs deploys against them.

    Args:
        app: the release archive.
        folder: for the inventories.
        runtime: of inventories that name none.
    """

    def __init__(self, lab: Lab, app: Path, folder: Path, runtime: str = RUNTIME) -> None:
        self.lab = lab
        self.app = app
        self.folder = folder
        self.runtime = runtime

    @property
    def host(self) -> LabHost:
        """The lab's first host."""
        return self.lab.hosts[0]

    def inventory(
        self,
        users: Mapping[str, str],
        overrides: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Path:
        """An inventory of these hosts, each with the user who logs in.

        Args:
            overrides: of the settings, merged deeply.
            data: of pyinfra's own host data, such as ssh_hostname.
        """
        merged = {"runtime": self.runtime, **(overrides or {})}
        lines = [
            "from pathlib import Path",
            "from tinykit_ops.lab.inventory import lab_hosts",
            "from tinykit_ops.settings import check_inventory",
            f"hosts = [(name, {{**found, **{dict(data or {})!r}}})",
            f"    for host, user in {dict(users)!r}.items()",
            f"    for name, found in lab_hosts({self.lab.name!r}, user=user, only=[host],",
            f"        app=Path({str(self.app)!r}), overrides={merged!r})]",
            "check_inventory(__file__)",
        ]
        path = self.folder / f"inventory-{len(list(self.folder.iterdir()))}.py"
        path.write_text("\n".join(lines) + "\n")
        return path

    def deploy(self, inventory: Path, *words: str, deploy: str = "full.py") -> Run:
        """Run pyinfra as a user would, with its output as JSON."""
        return self._run(["--json", *words, str(inventory), f"deploys/{deploy}"])

    def deploy_plain(self, inventory: Path, *words: str, deploy: str = "full.py") -> Run:
        """Run pyinfra with the output that a person reads."""
        return self._run([*words, str(inventory), f"deploys/{deploy}"])

    def command(self, *words: str) -> list[str]:
        """The words of a pyinfra command that asks no question."""
        # `-y` skips the look for changes, which is what a dry run is for.
        yes = [] if "--dry" in words else ["-y"]
        return [str(BIN / "pyinfra"), *yes, *words]

    def _run(self, words: Sequence[str]) -> Run:
        return execute(self.command(*words))


def execute(words: Sequence[str], seconds: int = DEPLOY_SECONDS) -> Run:
    """Run one of our commands in the checkout."""
    done = subprocess.run(
        list(words),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
    )
    return Run(done.returncode, done.stdout, done.stderr)


def curl(host: LabHost, path: str, *words: str, scheme: str = "https") -> list[str]:
    """The words of a curl command that asks a host by its name, without DNS."""
    port = 443 if scheme == "https" else 80
    pin = ["--resolve", f"{host.domain}:{port}:{host.address4}"]
    plain = ["curl", "--silent", "--show-error", "--insecure", "--max-time", "60", *pin]
    return [*plain, *words, f"{scheme}://{host.domain}{path}"]


def certificate(address: str, name: str) -> bytes | None:
    """What a visitor is shown for a name (DER); None when the handshake is refused."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address, 443), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            return secure.getpeercert(binary_form=True)
    except ssl.SSLError:
        return None


#: Prints the addresses of port 443 that two listen at: Caddy's former and its new configuration.
_SHARED = (
    "cat /proc/net/tcp /proc/net/tcp6 | "
    "awk '$2 ~ /:01BB$/ && $4 == \"0A\" {print $2}' | sort | uniq -d"
)


def wait_for_one_edge(host: LabHost) -> None:
    """Wait until nobody is served by a former configuration of the proxy any more.

    nginx's reload ends then; Caddy's ends when its former servers were told to take nobody.
    """
    assert until(lambda: not host.run(["sh", "-c", _SHARED]).stdout), "two edges listen"


STATUS = ("--output", "/dev/null", "--write-out", "%{http_code}")


#: What a lab's plain settings leave out; test_check_mutations.py has a host with all of it.
LEFT_OUT = ("monitoring", "origin.builder-apart", "disclosure.security-txt")


def check_command(host: LabHost, inventory: Path, ca_file: Path, *words: str) -> list[str]:
    """`tinykit-ops check` of a lab host, from here, from outside, and from the host."""
    pins = [f"--resolve={host.domain}:{port}:{host.address4}" for port in (80, 443)]
    return [
        str(BIN / "tinykit-ops"),
        "check",
        f"https://{host.domain}",
        f"--inventory={inventory}",
        f"--limit={host.name}",
        f"--ca-file={ca_file}",
        "--timeout=60",
        *(f"--skip={each}" for each in LEFT_OUT),
        *pins,
        *words,
    ]
