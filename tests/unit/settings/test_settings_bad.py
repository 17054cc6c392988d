"""Every wrong value ends in a message with its key, the reason and what to write instead."""

from __future__ import annotations

import re
from typing import Any

import pytest
from settings_bad import BAD, GONE, apply, s3

from tinykit_ops.errors import Exit
from tinykit_ops.settings import SettingsError, load_settings
from tinykit_ops.settings.model import Settings

PYDANTIC = re.compile(r"pydantic|validation error|type=|input_|value error|https://errors", re.I)


def refusal(data: Any, **more: Any) -> SettingsError:
    """The error that these settings end in."""
    with pytest.raises(SettingsError) as caught:
        load_settings(data, where="web1", **more)
    return caught.value


@pytest.mark.parametrize(
    ("change", "key", "reason", "hint"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_a_wrong_value_is_told_with_key_reason_and_what_to_write(
    good: dict[str, Any], change: dict[str, Any], key: str, reason: str, hint: str
) -> None:
    error = refusal(apply(good, change))
    found = {problem.key: problem for problem in error.problems}
    assert key in found, str(error)
    assert reason in found[key].reason
    assert found[key].hint, "every message says what to do"
    assert hint in found[key].hint
    assert f"web1: {key}: " in str(error)
    assert not PYDANTIC.search(str(error))
    assert error.exit_code == Exit.USAGE


@pytest.mark.parametrize("change", [row[1] for row in BAD], ids=[row[0] for row in BAD])
def test_the_model_itself_refuses_what_inventories_may_not_say(
    good: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):
        Settings.model_validate(apply(good, change))


def test_there_are_at_least_forty_bad_settings_each_with_a_name_of_its_own() -> None:
    assert len({row[0] for row in BAD}) == len(BAD) >= 40


def test_one_mistake_makes_one_message(good: dict[str, Any]) -> None:
    error = refusal(apply(good, {"edge": {"max_body": "64", "tls": {"mode": "internal"}}}))
    assert [problem.key for problem in error.problems] == ["edge.max_body"]


def test_all_mistakes_are_told_at_once_also_between_values(good: dict[str, Any]) -> None:
    change = {
        "domain": "x",
        "domains": ["a.example.com", "a.example.com"],
        "admin_email": "you",
        "app": {"archive": GONE, "git": "https://x.example.com/t", "sha256": "abc"},
        "edge": {"max_body": "64", "tls": {"mode": "files", "email": "me"}},
        "access": {"allowlist": [], "builder": {"require": ["allowlist"], "match": "both"}},
        "backup": {"schedule": "x", "targets": [{"kind": "s3"}, {"kind": "ftp"}]},
        "firewall": {"ssh_port": "22", "ssh_from": ["home"]},
    }
    keys = {problem.key for problem in refusal(apply(good, change)).problems}
    assert keys >= {
        "domain", "domains[1]", "admin_email", "app.commit", "app.sha256", "edge.max_body",
        "edge.tls.certificate", "edge.tls.key", "edge.tls.email", "access.builder.match",
        "backup.schedule", "backup.targets[0].name", "backup.targets[0].bucket",
        "backup.targets[0].encryption", "backup.targets[1].kind", "firewall.ssh_port",
        "firewall.ssh_from[0]",
    }  # fmt: skip


@pytest.mark.parametrize("data", [None, [], "tinykit", 7, object()])
def test_settings_that_are_no_mapping_are_refused(data: Any) -> None:
    assert "must be a mapping" in str(refusal(data))


def test_group_defaults_that_are_no_mapping_are_refused(good: dict[str, Any]) -> None:
    assert "tinykit_defaults" in str(refusal(good, defaults=["x"]))


def test_a_wrong_value_in_the_defaults_is_told_like_any_other(good: dict[str, Any]) -> None:
    assert "firewall.ssh_port" in str(refusal(good, defaults={"firewall": {"ssh_port": 0}}))


def test_the_count_reads_well(good: dict[str, Any]) -> None:
    assert str(refusal(apply(good, {"runtime": "x"}))).startswith("1 wrong setting; no host")
    assert str(refusal(apply(good, s3(bucket="x", name="X")))).startswith("2 wrong settings;")
