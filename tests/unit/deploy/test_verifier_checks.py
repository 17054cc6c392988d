"""A verifier's nightly looks from outside as files for it: when, at whom, with which waivers."""

from __future__ import annotations

import json

import pytest

from tinykit_ops import layout
from tinykit_ops.checks.keeping import CheckPlaces
from tinykit_ops.checks.model import Vantage
from tinykit_ops.checks.plan import outside_plan
from tinykit_ops.checks.registry import select
from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.deploy.verifier_checks import outside_check_files
from tinykit_ops.ops.tree import Absent, File
from tinykit_ops.settings.load import load_section
from tinykit_ops.settings.pyinfra_error import RunStoppedError
from tinykit_ops.settings.verifier import VerifierSettings, settings_of

WAIVERS = """
[[waiver]]
id = "https.redirect"
scope = "*"
reason = "Canary reason"
until = 2027-01-31
"""
TARGET = {"kind": "directory", "name": "disk", "path": "/mnt/there", "encryption": "none"}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


@pytest.fixture
def files(make_settings):
    """The files of a verifier of two instances, by path, and what it knows of each."""

    def make(instance=None, **checks):
        names = ("apps-1", "apps-2")
        targets = [
            {"kind": "directory", "instance": name, "target": "disk", "path": "/mnt/here"}
            for name in names
        ]
        words = {"targets": targets, "checks": {"jitter_minutes": 0, **checks}}
        verifier = load_section(VerifierSettings, words, where="verify-1")
        known = {
            name: settings_of(
                verifier,
                name,
                make_settings(
                    domains=[f"{name}.example.com"],
                    backup={"targets": [TARGET]},
                    checks=instance or {},
                ),
            )
            for name in names
        }
        entries = outside_check_files(verifier.checks, known)
        return {entry.path: entry for entry in entries}, known

    return make


def lines(entries):
    text = entries[layout.CHECKS_CRON_FILE].content
    assert text.endswith("\n")
    return [each for each in text.splitlines() if "check scheduled" in each]


def test_each_instance_is_looked_at_as_a_stranger_every_night(files):
    entries, _ = files()
    assert lines(entries) == [
        "11 5 * * * root systemd-cat -t tinykit-ops timeout 1h /usr/local/bin/tinykit-ops "
        f"check scheduled --instance {name} --vantage stranger"
        for name in ("apps-1", "apps-2")
    ]


def test_looks_do_not_begin_at_once(files):
    entries, _ = files(jitter_minutes=60)
    delays = {line.partition("sleep ")[2].partition(";")[0] for line in lines(entries)}
    assert len(delays) == 2


def test_an_authority_of_its_own_goes_to_the_host_and_into_the_command(files, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text(CERTIFICATE)
    entries, _ = files(ca_file=str(path), stranger=False)
    assert entries[layout.CHECKS_CA_FILE] == File(layout.CHECKS_CA_FILE, CERTIFICATE)
    assert lines(entries)[0].endswith(f"--instance apps-1 --ca-file {layout.CHECKS_CA_FILE}")
    assert files()[0][layout.CHECKS_CA_FILE] == Absent(layout.CHECKS_CA_FILE)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_wrong_authority_stops_the_run_before_a_host_is_changed(files, tmp_path, text):
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RunStoppedError, match=r"checks\.ca_file"):
        files(ca_file=str(path))


def test_a_verifier_that_is_not_to_look_loses_its_schedule(files):
    entries, _ = files(enabled=False)
    assert entries[layout.CHECKS_CRON_FILE] == Absent(layout.CHECKS_CRON_FILE)


def test_what_the_inventory_accepts_is_accepted_from_outside_too(files, tmp_path):
    path = tmp_path / "waivers.toml"
    path.write_text(WAIVERS)
    place = str(CheckPlaces.of_instance("apps-1").waivers)
    assert place == "/etc/tinykit-ops/instances/apps-1/waivers.toml"
    assert files()[0][place] == Absent(place)
    for words in ({"instance": {"waivers": str(path)}}, {"waivers": str(path)}):
        assert files(**words)[0][place] == File(place, WAIVERS, mode="600")


def test_the_agent_knows_when_to_alert_and_what_to_look_at(files):
    _, known = files(instance={"alert_on": "low"}, alert_on="high")
    config = json.loads(agent_config(known["apps-1"]))
    assert config["checks"]["alert_on"] == "high"
    plan = outside_plan(known["apps-1"])
    assert plan.url == "https://apps-1.example.com"
    chosen = {check.looks_from for check in select(plan.only)}
    assert chosen == {Vantage.OUTSIDE, Vantage.OUTSIDER}


def test_what_is_kept_of_instances_stays_apart():
    one, other, host = CheckPlaces.of_instance("a"), CheckPlaces.of_instance("b"), CheckPlaces()
    for what in ("history", "last", "metrics_file", "waivers"):
        assert len({getattr(place, what) for place in (one, other, host)}) == 3
    assert one.metrics_file.name == "tinykit_check_a.prom"
