"""`hand_over`: let one program take the ports of another, with as short a gap as can be."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

# The old one closes its ports at once and then lets requests end; the new one need not wait for
# that. A new one that does not start gives the ports back.
_SCRIPT = """\
set -eu
old={old}; new={new}
now() {{ date +%s%3N; }}
takes() {{
  systemctl reset-failed "$1" 2>/dev/null || true
  i=0
  while [ $i -lt 600 ] && [ -n "$(ss -Hltn '{ports}')" ]; do i=$((i + 1)); sleep 0.02; done
  systemctl start "$1"
}}
systemctl daemon-reload
systemctl enable --quiet "$new"
if systemctl -q is-active "$old"; then
  began=$(now)
  systemctl stop --no-block "$old"
  if takes "$new"; then
    echo "$new took over from $old: nobody listened for at most $(( $(now) - began )) ms" |
      logger -s -t tinykit-ops
  else
    echo "$new did not start, so $old goes on; the last log lines of $new:" >&2
    journalctl -u "$new" -n 15 --no-pager -o cat >&2
    systemctl stop "$new" || true
    systemctl disable --quiet "$new" || true
    systemctl stop "$old" || true
    takes "$old"
    exit 1
  fi
fi
systemctl stop "$old"
systemctl disable --quiet "$old" 2>/dev/null || true
rm -rf -- {leftovers}
{mask}systemctl daemon-reload"""


class OwnUnit(FactBase[bool]):
    """Whether a unit file of ours is there: a file, and not the link that masks a unit."""

    def command(self, path: str) -> str:
        """The shell line that prints `ours` or `not`."""
        quoted = shlex.quote(path)
        return f"if [ -f {quoted} ] && [ ! -L {quoted} ]; then echo ours; else echo not; fi"

    def process(self, output: list[str]) -> bool:
        """True when it is there."""
        return output == ["ours"]


@operation()
def hand_over(
    old: str, new: str, ports: Sequence[int], leftovers: Sequence[str], mask: bool = False
) -> Generator[StringCommand]:
    """Start unit `new` in the place of unit `old`, then remove what is left of `old`.

    Args:
        old: the unit that goes; when it has no unit file of ours, there is nothing to do.
        new: the unit that comes; its files are written and checked already. When it does not
            start, `old` is started again and the run fails.
        ports: TCP ports that both listen on.
        leftovers: what is removed when `new` runs, the unit file of `old` among them.
        mask: the distribution has a unit of the name `old`, which must not start by itself.
    """
    unit_file = f"/etc/systemd/system/{old}"
    if not host.get_fact(OwnUnit, path=unit_file):
        host.noop(f"there is no {old}")
        return
    script = _SCRIPT.format(
        old=shlex.quote(old),
        new=shlex.quote(new),
        ports=" or ".join(f"sport = :{port}" for port in ports),
        leftovers=shlex.join(leftovers),
        mask=f"ln -sfn /dev/null {shlex.quote(unit_file)}\n" if mask else "",
    )
    yield StringCommand("sh", "-c", shlex.quote(script))
