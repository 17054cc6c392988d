"""The cron file: one line a schedule, spread over a fleet, the same every time."""

from __future__ import annotations

from typing import Any

from tinykit_ops.backup.schedule import delay, jobs
from tinykit_ops.deploy.templates import render
from tinykit_ops.settings import Settings, load_settings


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
