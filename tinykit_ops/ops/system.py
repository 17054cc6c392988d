"""Packages and users of the distribution, one round trip each."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Mapping, Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

# An interrupted dpkg is finished first. Somebody else's is waited for, not broken: it may be that
# of a run of ours whose controller died, and which goes on here without it, or the updates that a
# cloud's image starts at its first boot. There is nobody to ask about a configuration file that
# somebody wrote or changed: theirs stays. dpkg says 2 when its lock is held; apt-get waits for that
# one by itself, but not for the lock of the package lists.
#
# A mirror that is away for a minute is waited for: `update` alone would say that all is well and
# leave a part of the lists out. When it stays away, what is here already may do, so the
# installation has the last word, and what the mirror said is told when it fails.
_INSTALL = """\
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
apt() {{
  apt-get -o DPkg::Lock::Timeout=300 -o APT::Update::Error-Mode=any \\
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -qq "$@" 2>&1
}}
tries=0 away=0
again() {{ tries=$((tries + 1)); [ "$tries" -lt 150 ] && sleep 2; }}
back_soon() {{ away=$((away + 1)); [ "$away" -lt 6 ] && sleep 15; }}
until dpkg --force-confdef --force-confold --configure -a; do [ $? = 2 ] && again || exit 1; done
get() {{ apt update && apt -y --no-install-recommends --download-only install {names}; }}
until said=$(get); do
  case $said in
    *"Could not get lock"*) again || break ;;
    *"ailed to fetch"*) back_soon || break ;;
    *) break ;;
  esac
done
apt -y --no-install-recommends install {names} || {{ echo "$said" >&2; exit 1; }}"""


class InstalledPackages(FactBase[set[str]]):
    """Which of some packages are installed."""

    def command(self, names: Sequence[str]) -> str:
        """The shell line that prints a status and a name a package."""
        words = shlex.join(names)
        return (
            f"dpkg-query -W -f '${{db:Status-Abbrev}}${{Package}}\\n' {words} 2>/dev/null || true"
        )

    def process(self, output: list[str]) -> set[str]:
        """The names whose status is `ii`."""
        rows = (line.split() for line in output)
        return {row[1] for row in rows if len(row) == 2 and row[0] == "ii"}


@operation()
def packages(names: Sequence[str]) -> Generator[StringCommand]:
    """Install the missing ones of some packages, without what they recommend."""
    installed = host.get_fact(InstalledPackages, names=list(names)) or set()
    missing = [name for name in names if name not in installed]
    if not missing:
        host.noop(f"{len(names)} packages are installed")
        return
    yield StringCommand("sh", "-c", shlex.quote(_INSTALL.format(names=shlex.join(missing))))


class KnownUsers(FactBase[set[str]]):
    """Which of some users exist."""

    def command(self, names: Sequence[str]) -> str:
        """The shell line that prints an entry a user."""
        return f"getent passwd {shlex.join(names)} || true"

    def process(self, output: list[str]) -> set[str]:
        """Their names."""
        return {line.split(":")[0] for line in output}


@operation()
def system_users(homes: Mapping[str, str]) -> Generator[StringCommand]:
    """Make system users that cannot log in, each with a group of its name.

    Args:
        homes: user name → home folder, which is not created.
    """
    known = host.get_fact(KnownUsers, names=list(homes)) or set()
    missing = {name: home for name, home in homes.items() if name not in known}
    if not missing:
        host.noop(f"{len(homes)} users exist")
        return
    for name, home in missing.items():
        words = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        words += ["--home-dir", home, "--gid", name, name]
        group = shlex.quote(name)
        yield StringCommand(
            f"{{ getent group {group} >/dev/null || groupadd --system {group}; }} && "
            + shlex.join(words)
        )
