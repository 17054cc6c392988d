"""The cron file: one line a schedule, spread over a fleet, the same every time."""

from __future__ import annotations

from typing import Any

import pytest

from tinykit_ops.backup.schedule import delay, jobs, verifier_jobs, verify_jobs
from tinykit_ops.deploy.templates import render
from tinykit_ops.settings import Settings, SettingsError, load_settings
from tinykit_ops.settings.backup import MAX_TARGETS
from tinykit_ops.settings.load import load_section
from tinykit_ops.settings.verifier import VerifierSettings


def with_targets(
    *targets: dict[str, Any], domain: str = "apps.example.com", **more: Any
) -> Settings:
    rows = [{"kind": "directory", "path": f"/mnt/{one['name']}", **one} for one in targets]
    return load_settings(
        {
            "domains": [domain],
            "admin_email": "you@example.com",
            "app": {"archive": "app.tar.zst"},
            "backup": {"targets": rows, **more},
        },
        where="web1",
    )


def cron_lines(settings: Settings) -> list[str]:
    text = render("cron/tinykit-ops.j2", jobs=jobs(settings))
    assert text.endswith("\n")
    return [line for line in text.splitlines() if " root " in line]


def test_targets_of_one_schedule_share_a_line_and_others_have_their_own() -> None:
    settings = with_targets(
        {"name": "a"},
        {"name": "b", "schedule": "5 4 * * sun", "max_age_hours": 170},
        {"name": "c"},
        jitter_minutes=0,
    )
    assert cron_lines(settings) == [
        "17 3 * * * root systemd-cat -t tinykit-ops /usr/local/bin/tinykit-ops backup run "
        "--scheduled --wait 360 --target a --target c",
        "5 4 * * sun root systemd-cat -t tinykit-ops /usr/local/bin/tinykit-ops backup run "
        "--scheduled --wait 360 --target b",
    ]


def test_as_many_targets_as_there_may_be_fit_into_a_line_that_cron_reads() -> None:
    names = [{"name": f"{number:02}-" + "x" * 37} for number in range(MAX_TARGETS)]
    (line,) = cron_lines(with_targets(*names))
    assert len(line.partition(" root ")[2]) < 1000
    with pytest.raises(SettingsError, match="16 are the most"):
        with_targets(*names, {"name": "one-more"})


def test_no_target_means_no_line() -> None:
    assert cron_lines(with_targets()) == []


def test_a_host_is_always_as_late_and_a_fleet_is_spread() -> None:
    delays = [
        jobs(with_targets({"name": "a"}, domain=f"n{n}.example.com"))[0].delay_seconds
        for n in range(60)
    ]
    again = [
        jobs(with_targets({"name": "a"}, domain=f"n{n}.example.com"))[0].delay_seconds
        for n in range(60)
    ]
    assert delays == again
    assert all(0 <= one <= 600 for one in delays)
    assert len({one // 60 for one in delays}) >= 8


def test_the_delay_stands_before_the_command() -> None:
    settings = with_targets({"name": "a"}, jitter_minutes=30)
    late = jobs(settings)[0].delay_seconds
    assert late > 0
    assert cron_lines(settings)[0].startswith(f"17 3 * * * root sleep {late}; systemd-cat ")


def test_a_delay_is_never_more_than_half_the_time_between_two_runs() -> None:
    settings = with_targets({"name": "a"}, schedule="*/5 * * * *", jitter_minutes=120)
    (job,) = jobs(settings)
    assert job.delay_seconds <= 150 and job.wait_minutes == 5
    assert max(delay(f"h{n}", 150) for n in range(500)) <= 150


# Verifying ---------------------------------------------------------------------------------------


def verify_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if " verify " in line]


def test_an_instance_that_verifies_itself_has_one_more_line() -> None:
    settings = with_targets({"name": "a"}, {"name": "b"}, jitter_minutes=0, verify={})
    text = render("cron/tinykit-ops.j2", jobs=jobs(settings), verifying=verify_jobs(settings))
    assert text.endswith("\n")
    assert verify_lines(text) == [
        "41 5 * * sun root systemd-cat -t tinykit-ops /usr/local/bin/tinykit-ops backup verify "
        "--scheduled --wait 360 --read-data next/7 --target a --target b"
    ]
    assert len(cron_lines(settings)) == 1  # and backups are as they were


def test_a_verifier_has_a_line_a_target_and_prunes_only_after_a_good_one() -> None:
    folder = {"kind": "directory", "instance": "apps-1.example.com", "path": "/mnt/a"}
    verifier = load_section(
        VerifierSettings,
        {
            "jitter_minutes": 0,
            "read_data_parts": 3,
            "targets": [
                {**folder, "target": "disk", "prune": True},
                {**folder, "target": "nas"},
            ],
        },
        where="verify-1",
    )
    text = render("cron/verifier.j2", verifying=verifier_jobs(verifier))
    assert text.endswith("\n")
    command = "systemd-cat -t tinykit-ops /usr/local/bin/tinykit-ops backup"
    command += " --instance apps-1.example.com"
    verify = f"41 5 * * * root {command} verify --scheduled --wait 360 --read-data next/3"
    assert verify_lines(text) == [
        f"{verify} --target disk && {command} prune --scheduled --wait 360 --target disk",
        f"{verify} --target nas",
    ]


def test_the_targets_of_a_verifier_take_turns() -> None:
    folder = {"kind": "directory", "instance": "apps-1", "path": "/mnt/a"}
    targets = [{**folder, "target": f"t{number}"} for number in range(40)]
    verifier = load_section(VerifierSettings, {"targets": targets}, where="verify-1")
    delays = [job.delay_seconds for job in verifier_jobs(verifier)]
    assert len(set(delays)) > 30 and max(delays) <= 30 * 60
    assert delays == [job.delay_seconds for job in verifier_jobs(verifier)]
