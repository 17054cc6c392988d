"""`unit`: a systemd unit that is enabled, runs, and runs with what its files say now.

A restart that is triggered by "an earlier operation changed something" is lost when the run is
interrupted between the two. So freshness is read off the host instead: every unit of ours touches
a stamp when it starts or reloads, and a file that changed after the stamp makes the unit stale.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.ops.tree import PathStates

# A unit whose condition does not hold here (a clock service in a container) counts as running.
_FUNCTIONS = """\
unit={unit}; stamp={stamp}
show() {{ systemctl show -p "$1" --value "$unit" 2>/dev/null; }}
active() {{
  systemctl is-active --quiet "$unit" 2>/dev/null ||
  {{ [ "$(show ConditionResult)" = no ] && [ "$(show ConditionTimestampMonotonic)" != 0 ]; }}
}}
stale() {{ {stale}; }}
works() {{ {works}; }} >/dev/null 2>&1
"""
_STALE = (
    """[ ! -e "$stamp" ] || [ -n "$(find {files} -newercm "$stamp" 2>/dev/null | head -n 1)" ]"""
)

_STATE_SCRIPT = """\
systemctl is-enabled --quiet "$unit" 2>/dev/null && echo enabled
active && echo active
[ "$(show NeedDaemonReload)" = yes ] && echo changed
stale && echo stale
works || echo idle
true"""

_CONVERGE_SCRIPT = """\
set -eu
systemctl enable --quiet --no-reload "$unit"
systemctl daemon-reload
if ! active; then systemctl reset-failed "$unit" 2>/dev/null || true; verb=start
elif stale || ! works; then verb={verb}
else exit 0; fi
if systemctl "$verb" "$unit"; then exit 0; fi
echo "$unit did not $verb; its last log lines:" >&2
journalctl -u "$unit" -n 15 --no-pager -o cat >&2
exit 1"""


class UnitState(FactBase[set[str]]):
    """Words that are true of a unit: `enabled`, `active`, `changed` (on disk), `stale`, `idle`."""

    def command(self, unit: str, files: Sequence[str], works: str = "true") -> str:
        """The shell script that prints them."""
        return _functions(unit, files, works) + _STATE_SCRIPT

    def process(self, output: list[str]) -> set[str]:
        """The words as a set."""
        return set(output)


@operation()
def unit(
    unit: str,
    files: Sequence[str],
    reload: bool = False,
    after: Sequence[OperationMeta] = (),
    works: str = "true",
) -> Generator[StringCommand]:
    """Enable and start `unit`; restart (or reload) it when one of `files` is newer than its start.

    Args:
        unit: the unit's full name; it must touch `layout.STARTED_DIR/UNIT` when it starts and
            reloads.
        files: paths that it reads when it starts, its own unit file among them.
        reload: the program takes new files without a restart.
        after: operations of this run that write those files, so that `--dry` tells the truth.
        works: a shell command that fails when the unit runs but its work was undone.
    """
    words = host.get_fact(UnitState, unit=unit, files=list(files), works=works) or set()
    fine = {"enabled", "active"} <= words and not words & {"changed", "stale", "idle"}
    if fine and not _will_change(after):
        host.noop(f"{unit} runs with its current files")
        return
    verb = "reload-or-restart" if reload else "restart"
    script = _functions(unit, files, works) + _CONVERGE_SCRIPT.format(verb=verb)
    yield StringCommand("sh", "-c", shlex.quote(script))


def _will_change(operations: Sequence[OperationMeta]) -> bool:
    """Whether one of them is about to change something; by execution time the host tells."""
    return any(not op.is_complete() and op.will_change for op in operations)


@operation()
def no_unit(unit: str, leftovers: Sequence[str]) -> Generator[StringCommand]:
    """Stop and disable a unit that is not wanted any more, and remove its files.

    Args:
        unit: the unit's full name.
        leftovers: its unit file and what only it reads; while none of them is there, nothing is
            done.
    """
    states = host.get_fact(PathStates, paths=list(leftovers)) or []
    if all(state == "absent" for state in states):
        host.noop(f"there is no {unit}")
        return
    stop = f"systemctl disable --now --quiet {shlex.quote(unit)} || ! systemctl -q is-active {unit}"
    # Some programs fail as they are stopped (Debian 12's exporter for nginx always does), and would
    # stand among the failed units for good.
    forget = f"{{ systemctl reset-failed {shlex.quote(unit)} 2>/dev/null || true; }}"
    remove = f"rm -f -- {shlex.join(leftovers)} && systemctl daemon-reload"
    script = f"{{ {stop}; }} && {forget} && {remove}"
    yield StringCommand("sh", "-c", shlex.quote(script))


def _functions(unit: str, files: Sequence[str], works: str = "true") -> str:
    """The shell functions that both scripts use; with no files, a unit is never stale."""
    stale = _STALE.format(files=shlex.join(files)) if files else "false"
    stamp = shlex.quote(f"{layout.STARTED_DIR}/{unit}")
    return _FUNCTIONS.format(unit=shlex.quote(unit), stamp=stamp, stale=stale, works=works)
