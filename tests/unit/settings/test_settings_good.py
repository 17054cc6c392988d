"""Right settings are taken, brought into one form, and filled up with defaults."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pyrage
import pytest
from settings_bad import COMMIT, SHA, apply, s3, tls

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.settings import Settings, load_settings
from tinykit_ops.settings.advice import advice_for


def load(data: dict[str, Any], **more: Any) -> Settings:
    """These settings, which have to be right."""
    return load_settings(data, where="web1", **more)


def test_three_keys_are_enough(good: dict[str, Any]) -> None:
    settings = load(good)
    assert settings.superuser == "you@example.com"
    assert settings.access.builder.require == ["account"]
    assert settings.access.admin.require == ["allowlist"]
    assert settings.firewall.enabled


def test_domains_become_lower_case_ascii_without_a_last_dot(good: dict[str, Any]) -> None:
    good["domains"] = [" Apps.Example.COM. ", "bücher.example.com", "www.other.example.com"]
    assert load(good).domains == [
        "apps.example.com",
        "xn--bcher-kva.example.com",
        "www.other.example.com",
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("2001:db8::7", "2001:db8::7/128"),
        ("2001:DB8::/32", "2001:db8::/32"),
        (ip_network("10.0.0.0/8"), "10.0.0.0/8"),
    ],
)
def test_addresses_are_networks_of_one(good: dict[str, Any], written: Any, meant: str) -> None:
    settings = load(apply(good, {"access": {"allowlist": [written]}}))
    assert [str(network) for network in settings.access.allowlist] == [meant]


def test_tuples_are_lists(good: dict[str, Any]) -> None:
    change = {"domains": ("a.example.com",), "firewall": {"ssh_from": ("203.0.113.7",)}}
    assert load(apply(good, change)).domains == ["a.example.com"]


@pytest.mark.parametrize(
    ("written", "kept", "size"),
    [("64MB", "64MB", 64_000_000), ("64 mib", "64MiB", 64 << 20), ("001gb", "1GB", 10**9)],
)
def test_sizes_have_one_form(good: dict[str, Any], written: str, kept: str, size: int) -> None:
    edge = load(apply(good, {"edge": {"max_body": written}})).edge
    assert (edge.max_body, edge.max_body_bytes) == (kept, size)


def test_an_address_with_its_hash_is_an_app(good: dict[str, Any]) -> None:
    good["app"] = {"archive": "https://x.example.com/t.tar.zst", "sha256": SHA.upper()}
    assert load(good).app.sha256 == SHA


def test_a_repository_with_its_commit_is_an_app(good: dict[str, Any]) -> None:
    good["app"] = {"git": "git@github.com:tinykit-studio/tinykit.git", "commit": COMMIT}
    assert load(good).app.commit == COMMIT


def test_a_version_that_nobody_pinned_is_fine_with_its_hash(good: dict[str, Any]) -> None:
    change = {"pocketbase": {"version": "0.39.7", "sha256": {"x86_64": SHA}}}
    assert load(apply(good, change)).pocketbase.version == "0.39.7"


@pytest.mark.parametrize("domain", ["tinykit.lan", "tinykit", "apps.lab.test"])
def test_a_private_name_is_fine_without_a_public_authority(
    good: dict[str, Any], domain: str
) -> None:
    good["domains"] = [domain]
    assert load(apply(good, tls(mode="internal"))).domains == [domain]
    assert load(apply(good, tls(directory="https://10.0.0.2:14000/dir"))).domains == [domain]


def test_a_bucket_takes_one_key_or_several_and_a_prefix_has_one_form(good: dict[str, Any]) -> None:
    keys = [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2)]
    one = load(apply(good, s3(encryption=keys[0], prefix="/apps"))).backup.targets[0]
    assert one.encryption == keys[:1]
    assert one.kind == "s3" and one.prefix == "apps/"
    assert load(apply(good, s3(encryption=keys))).backup.targets[0].encryption == keys


def test_a_rare_schedule_is_fine_with_a_patient_check(good: dict[str, Any]) -> None:
    change = {"backup": {"schedule": "0 3 * * sun", "max_age_hours": 170}}
    assert load(apply(good, change)).backup.max_age_hours == 170


def test_what_the_host_says_wins_over_its_group_key_by_key(good: dict[str, Any]) -> None:
    defaults = {
        "admin_email": "ops@example.com",
        "backup": {"schedule": "0 1 * * *", "retention": {"daily": 14, "weekly": 8}},
        "firewall": {"ssh_from": ["203.0.113.7", "203.0.113.8"]},
    }
    own = {"backup": {"retention": {"daily": 2}}, "firewall": {"ssh_from": ["198.51.100.1"]}}
    settings = load(apply(good, own), defaults=defaults)
    assert settings.admin_email == "you@example.com"
    assert settings.backup.schedule == "0 1 * * *"
    assert (settings.backup.retention.daily, settings.backup.retention.weekly) == (2, 8)
    assert [str(network) for network in settings.firewall.ssh_from] == ["198.51.100.1/32"]
    assert defaults["backup"]["retention"]["daily"] == 14, "group data stays as it was"  # type: ignore[index]


def test_a_gate_changed_in_one_word_keeps_its_other_default(good: dict[str, Any]) -> None:
    settings = load(apply(good, {"access": {"admin": {"match": "any"}, "allowlist": ["10.0.0.1"]}}))
    assert settings.access.admin.require == ["allowlist"]


def test_reading_and_the_model_agree(good: dict[str, Any]) -> None:
    data = apply(good, s3())
    assert load(data) == Settings.model_validate(data)


def test_settings_cannot_be_changed_later(good: dict[str, Any]) -> None:
    settings = load(good)
    with pytest.raises(ValueError):
        settings.admin_email = "x@example.com"  # type: ignore[misc]


def test_the_agent_on_the_host_reads_back_what_the_inventory_said(
    good: dict[str, Any], tmp_path: Path
) -> None:
    settings = load(apply(good, {**s3(), "admin_password": {"env": "ADMIN_PASSWORD"}}))
    path = tmp_path / "config.json"
    path.write_text(agent_config(settings))
    again = load_agent_config(path).settings
    assert again.model_copy(update={"admin_password": None, "backup": None}) == (
        settings.model_copy(update={"admin_password": None, "backup": None})
    )
    assert again.backup.targets[0].encryption == settings.backup.targets[0].encryption


def advised(data: dict[str, Any]) -> set[str]:
    """The keys that these settings are warned about."""
    return {advice.key for advice in advice_for(load(data))}


def test_the_defaults_are_warned_about_open_ssh_and_missing_backups(good: dict[str, Any]) -> None:
    assert advised(good) == {"firewall.ssh_from", "backup.targets"}


def test_careful_settings_get_no_warning(good: dict[str, Any]) -> None:
    change = {**s3(), "firewall": {"ssh_from": ["203.0.113.7"]}}
    assert advised(apply(good, change)) == set()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"admin_password": "correct horse"}, "admin_password"),
        (s3(secret_access_key="x"), "backup.targets.offsite.secret_access_key"),
        (s3(encryption="none"), "backup.targets.offsite.encryption"),
        ({"firewall": {"enabled": False}}, "firewall.enabled"),
        ({"firewall": {"ssh_from": ["10.0.0.1", "::/0"]}}, "firewall.ssh_from"),
        (
            {"access": {"allowlist": ["0.0.0.0/0"], "builder": {"require": ["allowlist"]}}},
            "access.builder",
        ),
        (
            {
                "access": {
                    "allowlist": ["0.0.0.0/0"],
                    "builder": {"require": ["account", "allowlist"], "match": "any"},
                }
            },
            "access.builder",
        ),
    ],
)
def test_dangerous_settings_are_warned_about(
    good: dict[str, Any], change: dict[str, Any], key: str
) -> None:
    assert key in advised(apply(good, change))


def test_a_name_may_be_served_with_and_without_www(good: dict[str, Any]) -> None:
    good["domains"] = ["apps.example.com", "www.apps.example.com"]
    assert load(good).domains == ["apps.example.com", "www.apps.example.com"]


def test_a_target_has_its_own_schedule_and_retention_or_those_of_all(good: dict[str, Any]) -> None:
    targets = [
        {"kind": "directory", "name": "disk", "path": "/a"},
        {
            "kind": "directory",
            "name": "far",
            "path": "/b",
            "schedule": "0 5 * * sun",
            "max_age_hours": 170,
            "retention": {"keep_within": "8 W"},
        },
    ]
    backup = load(apply(good, {"backup": {"targets": targets, "schedule": "0 1 * * *"}})).backup
    near, far = (backup.plan(target) for target in backup.targets)
    assert (near.schedule, near.max_age_hours) == ("0 1 * * *", 26)
    assert (far.schedule, far.max_age_hours) == ("0 5 * * sun", 170)
    assert (near.retention.keep_within, far.retention.keep_within) == (None, "8w")
