"""The nightly look as files for a host: when, how much later, and with which waivers."""

import pytest

from tinykit_ops import layout
from tinykit_ops.deploy.checks import check_files
from tinykit_ops.ops.tree import Absent, File
from tinykit_ops.settings.pyinfra_error import RunStoppedError

WAIVERS = """
[[waiver]]
id = "https.redirect"
scope = "*"
reason = "Canary reason"
until = 2027-01-31
"""


def written(settings):
    return {entry.path: entry for entry in check_files(settings)}


def cron_line(settings):
    text = written(settings)[layout.CHECKS_CRON_FILE].content
    (line,) = [each for each in text.splitlines() if "check scheduled" in each]
    assert text.endswith("\n")  # cron ignores a last line without its end
    return line


def test_the_look_is_roots_goes_to_the_journal_and_ends(make_settings):
    line = cron_line(make_settings(checks={"schedule": "5 1 * * 1", "jitter_minutes": 0}))
    assert line == (
        "5 1 * * 1 root systemd-cat -t tinykit-ops timeout 1h "
        "/usr/local/bin/tinykit-ops check scheduled"
    )


def test_hosts_of_a_fleet_begin_at_different_times_and_each_at_its_own(make_settings):
    fleet = [make_settings(domains=[f"apps{number}.example.com"]) for number in range(50)]
    delays = [cron_line(one).partition("sleep ")[2].partition(";")[0] for one in fleet]
    assert len(set(delays)) > 40
    assert all(0 <= int(delay or 0) <= 20 * 60 for delay in delays)
    assert [cron_line(one) for one in fleet] == [cron_line(one) for one in fleet]


def test_a_host_that_wants_no_looks_loses_its_schedule(make_settings):
    entries = written(make_settings(checks={"enabled": False}))
    assert entries[layout.CHECKS_CRON_FILE] == Absent(layout.CHECKS_CRON_FILE)


def test_waivers_go_to_the_host_for_root_alone_and_leave_with_the_setting(make_settings, tmp_path):
    path = tmp_path / "waivers.toml"
    path.write_text(WAIVERS)
    entry = written(make_settings(checks={"waivers": str(path)}))[layout.CHECKS_WAIVERS]
    assert entry == File(layout.CHECKS_WAIVERS, WAIVERS, mode="600")
    gone = written(make_settings())[layout.CHECKS_WAIVERS]
    assert gone == Absent(layout.CHECKS_WAIVERS)


@pytest.mark.parametrize("text", [None, "][", WAIVERS.replace("https.redirect", "https.redirekt")])
def test_wrong_waivers_stop_the_run_before_a_host_is_changed(make_settings, tmp_path, text):
    path = tmp_path / "waivers.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RunStoppedError) as error:
        check_files(make_settings(checks={"waivers": str(path)}))
    assert str(path) in str(error.value)
