"""What a deploy needs to know of a host before it changes anything."""

from __future__ import annotations

import shlex

from pyinfra.api.facts import FactBase

from tinykit_ops import layout

OURS = "Managed by tinykit-ops"  #: in every unit file of ours


class SshConnection(FactBase[str]):
    """SSH_CONNECTION of this run: client address and port, server address and port; or empty.

    Ask without sudo, which takes the variable away. Where somebody took it away before (`@local`
    in a shell of sudo), it is read from the processes above.
    """

    def command(self) -> str:
        """The shell script that prints it."""
        return """\
found=$SSH_CONNECTION; pid=$$
while [ -z "$found" ] && [ "${pid:-0}" -gt 1 ]; do
  found=$(tr '\\0' '\\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p')
  pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
done 2>/dev/null
echo "$found" """

    def process(self, output: list[str]) -> str:
        """The line."""
        return output[0] if output else ""


class HostFacts(FactBase[dict[str, str]]):
    """What the host is, as texts by name.

    `os` and `version` (ID and VERSION_ID of os-release), `machine`, `init`, `user`, `free_mb`
    on /opt, `clock` (the time service other than systemd's that is installed), `people` (those
    of our users' names that belong to a person), `pocketbase` (the version that ran on the data
    here), `port_N` (the program that listens on port N), `nginx` (`ours` when it serves an
    instance), `moved` (the host that the instance has moved to), `network` (`ours` when our
    containers' network runs), `docker_ce` (`yes` when Docker's own packages are installed),
    `units` (`ours` when one of our units is written), `foreign` (a unit of that name that is
    somebody else's), `ipv6` (`yes` or `no`).
    """

    def command(self) -> str:
        """The shell script that prints NAME=VALUE lines."""
        users = " ".join((layout.POCKETBASE_USER, layout.TINYKIT_USER, layout.CADDY_USER))
        units = " ".join((layout.POCKETBASE_UNIT, layout.TINYKIT_UNIT, layout.CADDY_UNIT))
        return f"""\
. /etc/os-release
echo "os=$ID"; echo "version=$VERSION_ID"; echo "machine=$(uname -m)"; echo "user=$(id -un)"
echo "init=$(cat /proc/1/comm)"
echo "free_mb=$(df -Pm /opt 2>/dev/null | awk 'NR==2 {{print $4}}')"
echo "clock=$(dpkg-query -W -f '${{db:Status-Abbrev}}${{Package}}\\n' chrony ntpsec openntpd \\
  2>/dev/null | awk '$1 == "ii" {{print $2; exit}}')"
echo "people=$(getent passwd {users} | awk -F: '$3 >= 1000 {{printf "%s ", $1}}')"
if [ -e {layout.POCKETBASE_DATA}/data.db ]; then
  echo "pocketbase=$(readlink {layout.POCKETBASE_HOME}/current)"
fi
if [ -s {layout.MOVED_FILE} ]; then echo "moved=$(head -n 1 {layout.MOVED_FILE})"; fi
if systemctl is-active --quiet {layout.NET_UNIT} 2>/dev/null; then echo "network=ours"; fi
if dpkg-query -W docker-ce >/dev/null 2>&1; then echo "docker_ce=yes"; fi
for unit in {units}; do
  [ -s "/etc/systemd/system/$unit" ] || continue
  if grep -q {shlex.quote(OURS)} "/etc/systemd/system/$unit"; then echo units=ours
  else echo "foreign=$unit"; fi
done
if [ -e {layout.NGINX_CONFIG} ]; then echo "nginx=ours"; fi
if [ -e /proc/net/if_inet6 ]; then echo "ipv6=yes"; else echo "ipv6=no"; fi
for port in 80 443 3000 8091; do
  if command -v ss >/dev/null; then
    echo "port_$port=$(ss -Hltnp "sport = :$port" | grep -o '"[^"]*"' | head -n 1 | tr -d '"')"
  fi
done"""

    def process(self, output: list[str]) -> dict[str, str]:
        """The lines as a dictionary."""
        return dict(line.split("=", 1) for line in output if "=" in line)
