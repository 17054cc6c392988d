"""What a deploy needs to know of a host before it changes anything."""

from __future__ import annotations

from pyinfra.api.facts import FactBase


class SshConnection(FactBase[str]):
    """SSH_CONNECTION of this run: client address and port, server address and port; or empty.

    Ask without sudo, which takes the variable away.
    """

    def command(self) -> str:
        """The shell line that prints it."""
        return 'echo "$SSH_CONNECTION"'

    def process(self, output: list[str]) -> str:
        """The line."""
        return output[0] if output else ""


class HostFacts(FactBase[dict[str, str]]):
    """ID and VERSION_ID of os-release, `machine`, `init`, `user`, and `listeners` by port."""

    def command(self) -> str:
        """The shell script that prints NAME=VALUE lines."""
        return """\
. /etc/os-release
echo "os=$ID"; echo "version=$VERSION_ID"; echo "machine=$(uname -m)"; echo "user=$(id -un)"
echo "init=$(cat /proc/1/comm)"
echo "free_mb=$(df -Pm /opt 2>/dev/null | awk 'NR==2 {print $4}')"
for port in 80 443 3000 8091; do
  if command -v ss >/dev/null; then
    echo "port_$port=$(ss -Hltnp "sport = :$port" | grep -o '"[^"]*"' | head -n 1 | tr -d '"')"
  fi
done"""

    def process(self, output: list[str]) -> dict[str, str]:
        """The lines as a dictionary."""
        return dict(line.split("=", 1) for line in output if "=" in line)
