"""PocketBase's own schedule, in UTC, against ours, in the host's time zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.doctor.pocketbase import judge_schedules
from tinykit_ops.settings import load_settings

BERLIN = ZoneInfo("Europe/Berlin")


def config(schedule: str) -> AgentConfig:
    target = {"kind": "directory", "name": "disk", "path": "/mnt/x"}
    return AgentConfig(
        load_settings(
            {
                "domains": ["apps.example.com"],
                "admin_email": "you@example.com",
                "app": {"archive": "app.tar.zst"},
                "backup": {
                    "targets": [target],
                    "schedule": schedule,
                    "jitter_minutes": 0,
                    "max_age_hours": 200,
                },
            },
            where="web1",
        )
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "mark"),
    [
        ("0 3 * * *", "", "ok"),
        ("0 3 * * *", "5 0-23 * * *", "BAD"),
        ("0 3 * * *", "@hourly", "BAD"),
        ("30 3 * * *", "@hourly", "note"),
        ("0 3 * * sun", "30 12 * * *", "note"),
        ("0 3 * * *", "every now and then", "unknown"),
    ],
)
def test_both_at_once_is_bad_and_at_other_times_worth_a_note(
    ours: str, theirs: str, mark: str
) -> None:
    assert judge_schedules(config(ours), theirs, BERLIN).mark == mark


def test_pocketbase_counts_in_utc() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")  # nine hours ahead, all year
    assert judge_schedules(config("0 12 * * *"), "0 3 * * *", tokyo).mark == "BAD"
    assert judge_schedules(config("0 3 * * *"), "0 3 * * *", tokyo).mark == "note"
