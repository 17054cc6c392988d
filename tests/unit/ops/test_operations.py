"""Packages, users, agent steps, refusals and uploads: arguments and facts → commands."""

import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tinykit_ops import layout
from tinykit_ops.deploy import agent_package
from tinykit_ops.errors import UsageError
from tinykit_ops.ops import agent, install_agent, refuse, step_states, system, units, upload
from tinykit_ops.ops.tree import PathStates

SHA = "ab" * 32


def shell(command, **more):
    """Run a command as pyinfra would."""
    words = shlex.split(command.get_raw_value()) if hasattr(command, "get_raw_value") else command
    return subprocess.run(words, capture_output=True, text=True, check=False, **more)


# Packages


def test_only_the_missing_packages_are_installed(commands):
    facts = {system.InstalledPackages: {"cron"}}
    (command,) = commands(system.packages, system, facts, names=["cron", "nftables"])
    assert "install nftables" in command.get_raw_value()


def test_nothing_is_done_when_all_packages_are_there(commands):
    facts = {system.InstalledPackages: {"cron"}}
    assert commands(system.packages, system, facts, names=["cron"]) == []


def test_a_package_that_was_removed_or_is_half_there_is_not_installed():
    lines = ["ii cron", "rc nginx", "iU nftables", "un chrony"]
    assert system.InstalledPackages().process(lines) == {"cron"}


@pytest.fixture
def apt(tmp_path):
    """Runs the script with stand-ins for dpkg, apt-get and sleep, which note their calls."""
    tools = tmp_path / "bin"
    tools.mkdir()

    def tool(name, body):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/calls\n{body}\n')
        (tools / name).chmod(0o755)

    tool("sleep", "true")

    def run(dpkg="true", update="true", install="true"):
        tool("dpkg", dpkg)
        tool("apt-get", f'case "$*" in *\\ update*) {update} ;; *) {install} ;; esac')
        script = system._INSTALL.format(names="cron")
        done = subprocess.run(
            ["sh", "-c", script],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": f"{tools}:/usr/bin:/bin", "STATE": str(tmp_path)},
        )
        return done, (tmp_path / "calls").read_text().splitlines()

    return run


def failing(what, times, said):
    """A stand-in's line: the first calls that name `what` fail and say why."""
    return (
        f'if [ "$(grep -c -- "{what}" "$STATE/calls")" -le {times} ]; then '
        f'echo "{said}" >&2; exit 100; fi'
    )


def updates(calls):
    return [call for call in calls if call.endswith(" update")]


def test_packages_wait_for_the_updates_of_a_first_boot(apt):
    held = "E: Could not get lock /var/lib/apt/lists/lock. It is held"
    done, calls = apt(update=failing(" update", 3, held))
    assert done.returncode == 0, done.stderr
    assert len(updates(calls)) == 4
    assert "install cron" in calls[-1]


def test_packages_wait_for_a_dpkg_that_is_at_work(apt):
    done, calls = apt(dpkg='[ "$(grep -c ^dpkg "$STATE/calls")" -ge 3 ] || exit 2')
    assert done.returncode == 0
    assert len([call for call in calls if call.startswith("dpkg")]) == 3


def test_nobody_is_asked_about_a_configuration_file_that_somebody_wrote(apt):
    _, calls = apt()
    kept = [call for call in calls if "--force-confdef" in call and "--force-confold" in call]
    assert [call.split()[0] for call in kept] == ["dpkg", "apt-get", "apt-get", "apt-get"]


def test_a_broken_package_fails_at_once(apt):
    done, calls = apt(dpkg="exit 1")
    assert done.returncode == 1
    assert len(calls) == 1


REFUSED = "E: Failed to fetch http://deb.test/x Could not connect"


def test_a_mirror_that_is_away_for_a_minute_is_waited_for(apt):
    done, calls = apt(update=failing(" update", 3, REFUSED))
    assert done.returncode == 0, done.stderr
    assert len(updates(calls)) == 4
    assert done.stderr == ""


def test_half_of_the_lists_is_not_taken_for_all_of_them(apt):
    _, calls = apt()
    assert all("APT::Update::Error-Mode=any" in call for call in updates(calls))


def test_a_package_that_could_not_be_fetched_is_fetched_again(apt):
    done, calls = apt(install=failing("--download-only", 2, REFUSED))
    assert done.returncode == 0, done.stderr
    assert len([call for call in calls if "--download-only" in call]) == 3


def test_a_mirror_that_stays_away_is_named_when_its_packages_are_missing(apt):
    done, calls = apt(
        update=f'echo "{REFUSED}" >&2; exit 100',
        install='echo "E: Unable to locate package cron" >&2; exit 100',
    )
    assert done.returncode == 1
    assert "Unable to locate package cron" in done.stdout + done.stderr
    assert REFUSED in done.stderr
    assert len(updates(calls)) == 6


def test_a_dead_source_of_somebody_else_does_not_keep_our_packages_away(apt):
    done, calls = apt(update=f'echo "{REFUSED}" >&2; exit 100')
    assert done.returncode == 0
    assert "install cron" in calls[-1]


def test_an_unknown_package_fails_without_waiting(apt):
    done, calls = apt(install='echo "E: Unable to locate package cron" >&2; exit 100')
    assert done.returncode == 1
    assert len(updates(calls)) == 1


# Users


def test_only_missing_users_are_made_and_none_can_log_in(commands):
    facts = {system.KnownUsers: {"caddy"}}
    homes = {"caddy": "/var/lib/caddy", "tinykit": "/opt/tinykit"}
    (command,) = commands(system.system_users, system, facts, homes=homes)
    text = command.get_raw_value()
    assert "--system" in text
    assert "--shell /usr/sbin/nologin" in text
    assert text.endswith("--gid tinykit tinykit")


def test_a_group_that_is_there_already_is_used(commands):
    (command,) = commands(
        system.system_users, system, {system.KnownUsers: set()}, homes={"x": "/opt/x"}
    )
    assert command.get_raw_value().startswith("{ getent group x >/dev/null || groupadd --system x")


# Steps of the agent


def test_a_step_that_is_done_is_not_run(commands):
    facts = {step_states.StepState: "done"}
    assert commands(agent.run_step, agent, facts, step=["artifact", "node"]) == []


@pytest.mark.parametrize("said", ["pending", ""])
def test_a_step_that_is_not_done_is_run(commands, said):
    (command,) = commands(agent.run_step, agent, {step_states.StepState: said}, step=["claim"])
    assert command.get_raw_value() == f"{layout.AGENT_COMMAND} host claim"


def test_a_step_runs_when_an_operation_before_it_is_about_to_change_something(commands):
    before = SimpleNamespace(is_complete=lambda: False, will_change=True)
    facts = {step_states.StepState: "done"}
    assert len(commands(agent.run_step, agent, facts, step=["secrets"], after=[before])) == 1


@pytest.mark.parametrize(("code", "word"), [(0, "done"), (1, "pending"), (127, "pending")])
def test_a_host_without_an_agent_or_with_a_broken_one_has_everything_to_do(
    tmp_path, monkeypatch, code, word
):
    command = tmp_path / "agent"
    command.write_text(f"#!/bin/sh\nexit {code}\n")
    command.chmod(0o755)
    monkeypatch.setattr(layout, "AGENT_COMMAND", str(command))
    assert (
        shell(["sh", "-c", step_states.StepState().command(step=["claim"])]).stdout.strip() == word
    )


# The agent itself


def test_the_agent_is_installed_over_standard_input_unless_it_is_there(commands, monkeypatch):
    monkeypatch.setattr(agent_package, "build_id", lambda: "aaaa")
    there = {install_agent.InstalledAgent: "aaaa"}
    assert commands(install_agent.install_agent, install_agent, there) == []
    for found in ("", "bbbb"):
        facts = {install_agent.InstalledAgent: found}
        (command,) = commands(install_agent.install_agent, install_agent, facts)
        assert command.connector_arguments["_stdin"] == [agent_package.payload()]
        assert "builds/aaaa" in command.get_raw_value()


def test_the_installed_build_is_the_end_of_the_link():
    assert install_agent.InstalledAgent().process(["builds/aaaa"]) == "aaaa"
    assert install_agent.InstalledAgent().process([]) == ""


@pytest.fixture
def bare_host(tmp_path, monkeypatch):
    """A folder that stands for a host's root; what the agent's fact says of it."""
    home = tmp_path / "agent/current"
    monkeypatch.setattr(layout, "AGENT_VENV", str(home))
    traces = [str(tmp_path / name) for name in ("command", "config.json", "unit")]
    monkeypatch.setattr(install_agent, "_TRACES", traces)

    def said():
        command = install_agent.InstalledAgent().command()
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
        return install_agent.InstalledAgent().process(done.stdout.splitlines())

    return home, traces, said


def test_a_host_without_any_trace_of_an_agent_never_had_one(bare_host):
    _, _, said = bare_host
    assert said() == install_agent.NEVER


def test_one_trace_of_an_agent_is_enough_to_be_asked_about(bare_host, tmp_path):
    home, traces, said = bare_host
    for trace in traces:
        Path(trace).touch()
        assert said() == ""
        Path(trace).unlink()
    (tmp_path / "agent").mkdir()
    home.symlink_to("builds/aaaa")
    assert said() == "", "a link that leads nowhere is a trace"


def test_an_agent_that_starts_is_told_by_its_build(bare_host, tmp_path):
    home, _, said = bare_host
    program = tmp_path / "agent/builds/aaaa/venv/bin/python"
    program.parent.mkdir(parents=True)
    program.symlink_to("/bin/true")
    home.symlink_to("builds/aaaa")
    assert said() == "aaaa"


@pytest.mark.parametrize(("executing", "bare"), [(True, 1), (False, 0)])
def test_only_a_run_that_installs_the_first_agent_says_so(commands, monkeypatch, executing, bare):
    told = []
    monkeypatch.setattr(install_agent, "first_agent", told.append)
    for found in (install_agent.NEVER, ""):
        facts = {install_agent.InstalledAgent: found}
        assert commands(install_agent.install_agent, install_agent, facts, executing=executing)
    assert len(told) == bare


# Refusals


def test_nothing_in_the_way_runs_nothing(commands):
    assert commands(refuse.refuse, refuse, {}, problem=None) == []


def test_a_refusal_fails_with_its_words_whatever_is_in_them(commands):
    problem = UsageError('it\'s "this" $HOME `id` \\n; exit 0', where="a;b", hint="do > that")
    (command,) = commands(refuse.refuse, refuse, {}, problem=problem)
    done = shell(command)
    assert done.returncode == 1
    assert 'it\'s "this" $HOME `id`' in done.stderr
    assert "hint:  do > that" in done.stderr
    assert done.stdout == ""


# The release


def test_a_release_is_sent_unless_it_is_there(commands, tmp_path):
    archive = tmp_path / "t.tar.zst"
    there = {upload.ReleaseOnHost: {upload.THERE}}
    assert commands(upload.upload_release, upload, there, archive=archive, sha256=SHA) == []
    missing = {upload.ReleaseOnHost: None}
    (command,) = commands(upload.upload_release, upload, missing, archive=archive, sha256=SHA)
    assert command.dest == f"/opt/tinykit/incoming/{SHA[:16]}.tar.zst"
    # Where who logs in is not root, it goes this way, which the next run looks at.
    assert command.remote_temp_filename == "/tmp/tinykit-ops-upload"


def test_what_an_interrupted_upload_left_on_its_way_is_removed(commands, tmp_path):
    facts = {upload.ReleaseOnHost: {upload.THERE, upload.LEFT}}
    archive = tmp_path / "t.tar.zst"
    (command,) = commands(upload.upload_release, upload, facts, archive=archive, sha256=SHA)
    assert command.get_raw_value() == "rm -f /tmp/tinykit-ops-upload"


def test_half_an_upload_does_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "TINYKIT_HOME", str(tmp_path))
    monkeypatch.setattr(layout, "TINYKIT_RELEASES", str(tmp_path / "releases"))
    way = tmp_path / "on its way"
    fact = upload.ReleaseOnHost()

    def said():
        done = shell(["sh", "-c", fact.command(sha256=SHA, way=str(way))])
        return fact.process(done.stdout.splitlines())

    assert said() == set()
    (tmp_path / "incoming").mkdir()
    (tmp_path / f"incoming/{SHA[:16]}.tar.zst").write_text("half")
    assert said() == set()
    (tmp_path / f"releases/{SHA[:16]}").mkdir(parents=True)
    assert said() == {upload.THERE}
    way.write_text("half")
    assert said() == {upload.THERE, upload.LEFT}


# Units that are not wanted any more


def test_a_unit_that_never_was_is_not_removed(commands):
    facts = {PathStates: ["absent", "absent"]}
    assert commands(units.no_unit, units, facts, unit="x.service", leftovers=["/a", "/b"]) == []


def test_a_unit_that_is_not_wanted_any_more_is_stopped_and_its_files_go(commands, tmp_path):
    left = tmp_path / "x.service"
    left.touch()
    facts = {PathStates: ["file 644 root root x", "absent"]}
    leftovers = [str(left), str(tmp_path / "y")]
    (command,) = commands(units.no_unit, units, facts, unit="x.service", leftovers=leftovers)
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "systemctl").write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n')
    (tools / "systemctl").chmod(0o755)
    done = shell(command, env={"PATH": f"{tools}:/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    assert not left.exists()
    calls = (tmp_path / "calls").read_text().splitlines()
    # It may have failed as it was stopped, and is not to stand among the failed ones for that.
    reset = "reset-failed x.service"
    assert calls == ["disable --now --quiet x.service", reset, "daemon-reload"]
