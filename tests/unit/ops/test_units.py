"""`unit`, run by a real shell with a stand-in for systemctl that keeps its state in files."""

import os
import shlex
import subprocess

import pytest

from tinykit_ops import layout
from tinykit_ops.ops import units

SYSTEMCTL = """\
#!/bin/sh
echo "$*" >>"$STATE/calls"
case "$1" in
  is-enabled) [ -e "$STATE/enabled" ] ;;
  is-active) [ -e "$STATE/active" ] ;;
  enable) touch "$STATE/enabled" ;;
  show) cat "$STATE/$3" 2>/dev/null || true ;;
  start|restart|reload-or-restart)
    [ -e "$STATE/broken" ] && exit 1
    touch "$STATE/active" "$STATE/stamps/x.service" ;;
esac
"""


class Host:
    """A folder that plays a host with one unit, x.service."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        (folder / "stamps").mkdir()
        (folder / "bin").mkdir()
        for name, text in {"systemctl": SYSTEMCTL, "journalctl": "#!/bin/sh\necho why\n"}.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        self.config = folder / "config"
        self.config.write_text("a = 1")
        monkeypatch.setattr(layout, "STARTED_DIR", str(folder / "stamps"))

    def has(self, *names):
        for name in names:
            (self.folder / name).touch()
        return self

    def change_config(self):
        """Change the file some time after the unit started, however coarse the clock is."""
        stamp = self.folder / "stamps/x.service"
        os.utime(stamp, (stamp.stat().st_atime, stamp.stat().st_mtime - 60))
        self.config.write_text("a = 2")

    def state(self, files=None):
        files = [str(self.config)] if files is None else files
        script = units.UnitState().command(unit="x.service", files=files)
        return set(self._sh(script).stdout.split())

    def converge(self, verb="restart"):
        script = units._functions("x.service", [str(self.config)])
        return self._sh(script + units._CONVERGE_SCRIPT.format(verb=verb))

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()

    def _sh(self, script):
        path = f"{self.folder}/bin:/usr/bin:/bin"
        env = {"PATH": path, "STATE": str(self.folder)}
        words = shlex.split(f"sh -c {shlex.quote(script)}")
        return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def host(tmp_path, monkeypatch):
    return Host(tmp_path, monkeypatch)


def test_a_unit_that_runs_with_its_files_is_left_alone(host):
    host.has("enabled", "active", "stamps/x.service")
    assert host.state() == {"enabled", "active"}
    assert host.converge().returncode == 0
    assert not any(call.startswith(("start", "restart")) for call in host.calls())


def test_a_unit_that_never_ran_is_enabled_and_started(host):
    assert host.state() == {"stale"}
    assert host.converge().returncode == 0
    assert "enable --quiet --no-reload x.service" in host.calls()
    assert "start x.service" in host.calls()


def test_a_file_that_changed_after_the_start_restarts_the_unit(host):
    host.has("enabled", "active", "stamps/x.service")
    host.change_config()
    assert "stale" in host.state()
    assert host.converge().returncode == 0
    assert "restart x.service" in host.calls()
    assert host.state() == {"enabled", "active"}


def test_a_changed_file_reloads_a_unit_that_can_reload(host):
    host.has("enabled", "active", "stamps/x.service")
    host.change_config()
    host.converge(verb="reload-or-restart")
    assert "reload-or-restart x.service" in host.calls()


def test_a_run_that_was_cut_off_before_the_restart_is_made_good_by_the_next(host):
    host.has("enabled", "active", "stamps/x.service")
    host.change_config()  # written, then the run was killed
    assert "stale" in host.state()  # so the next run sees it, though it writes nothing


def test_a_unit_whose_condition_does_not_hold_counts_as_running(host):
    host.has("enabled")
    (host.folder / "ConditionResult").write_text("no")
    (host.folder / "ConditionTimestampMonotonic").write_text("12345")
    assert host.state(files=[]) == {"enabled", "active"}


def test_a_unit_that_does_not_start_fails_with_its_log(host):
    host.has("broken")
    done = host.converge()
    assert done.returncode == 1
    assert "x.service did not start" in done.stderr
    assert "why" in done.stderr


def test_a_unit_that_runs_while_its_work_was_undone_is_made_to_do_it_again(host):
    host.has("enabled", "active", "stamps/x.service")
    undone = units.UnitState().command(unit="x.service", files=[str(host.config)], works="false")
    assert "idle" in host._sh(undone).stdout.split()
    script = units._functions("x.service", [str(host.config)], "false")
    host._sh(script + units._CONVERGE_SCRIPT.format(verb="reload-or-restart"))
    assert "reload-or-restart x.service" in host.calls()
