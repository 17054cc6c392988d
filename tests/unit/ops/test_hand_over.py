"""One edge takes over from the other: run by a real shell with stand-ins of systemctl and ss."""

import shlex
import subprocess

import pytest

from tinykit_ops.ops import hand_over
from tinykit_ops.ops.hand_over import OwnUnit

SYSTEMCTL = """\
#!/bin/sh
echo "$*" >>"$STATE/calls"
eval "name=\\${$#}"
case "$1 $*" in
  *is-active*) [ -e "$STATE/active-$name" ] ;;
  start*) [ ! -e "$STATE/broken-$name" ] && touch "$STATE/active-$name" ;;
  stop*) rm -f "$STATE/active-$name" ;;
esac
"""
SS = """\
#!/bin/sh
n=$(cat "$STATE/looks" 2>/dev/null || echo 0); echo $((n + 1)) >"$STATE/looks"
[ "$n" -ge 3 ] || echo "LISTEN 0 511 0.0.0.0:443 0.0.0.0:*"
"""


class Host:
    """A folder that plays a host with an old and a new unit."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "bin").mkdir()
        programs = {"systemctl": SYSTEMCTL, "ss": SS, "journalctl": "#!/bin/sh\necho why\n"}
        programs["logger"] = '#!/bin/sh\ncat >>"$STATE/log"\n'
        for name, text in programs.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        (folder / "active-old.service").touch()
        (folder / "old.service").write_text("[Unit]")

    def run(self, command):
        path = f"{self.folder}/bin:/usr/bin:/bin"
        words = shlex.split(str(command.get_raw_value()))
        return subprocess.run(
            words,
            env={"PATH": path, "STATE": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def is_active(self, name):
        return (self.folder / f"active-{name}.service").exists()


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.fixture
def handed(host, commands):
    def run(*, there=True, **more):
        made = commands(
            hand_over.hand_over,
            hand_over,
            {OwnUnit: there},
            old="old.service",
            new="new.service",
            ports=[80, 443],
            leftovers=[str(host.folder / "old.service")],
            **more,
        )
        return [host.run(command) for command in made]

    return run


def test_the_new_one_starts_when_the_ports_are_free_and_the_old_ones_files_go(host, handed):
    (done,) = handed()
    assert done.returncode == 0, done.stderr
    assert (host.is_active("old"), host.is_active("new")) == (False, True)
    assert not (host.folder / "old.service").exists()
    assert int((host.folder / "looks").read_text()) == 4
    calls = (host.folder / "calls").read_text().splitlines()
    assert calls.index("stop --no-block old.service") < calls.index("start new.service")
    assert "disable --quiet old.service" in calls
    assert "nobody listened for at most" in (host.folder / "log").read_text()


def test_a_new_one_that_does_not_start_gives_the_ports_back_and_the_run_says_why(host, handed):
    (host.folder / "broken-new.service").touch()
    (done,) = handed()
    assert done.returncode == 1
    assert "new.service did not start, so old.service goes on" in done.stderr
    assert "why" in done.stderr
    assert (host.is_active("old"), host.is_active("new")) == (True, False)
    assert (host.folder / "old.service").exists()
    assert "disable --quiet new.service" in (host.folder / "calls").read_text()


def test_a_run_that_ended_after_the_old_one_stopped_is_finished_by_the_next(host, handed):
    (host.folder / "active-old.service").unlink()
    (done,) = handed()
    assert done.returncode == 0
    assert not (host.folder / "old.service").exists()


def test_nothing_is_done_where_the_old_one_never_was(host, handed):
    assert handed(there=False) == []
    assert not (host.folder / "calls").exists()


@pytest.mark.parametrize(("kind", "ours"), [("file", True), ("mask", False), ("nothing", False)])
def test_a_unit_of_ours_is_a_file_and_no_mask(tmp_path, kind, ours):
    unit = tmp_path / "nginx.service"
    if kind == "file":
        unit.write_text("[Unit]")
    elif kind == "mask":
        unit.symlink_to("/dev/null")
    fact = OwnUnit()
    said = subprocess.run(
        ["sh", "-c", fact.command(str(unit))], capture_output=True, text=True, check=True
    )
    assert fact.process(said.stdout.splitlines()) == ours
