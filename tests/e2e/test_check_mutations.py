"""A sample of the breakages that the checklist has to find; `scripts/soak mutations` has all."""

from __future__ import annotations

import pytest
from check_manners import fingerprint, secrets_of, told_by_mistake
from mutation_bench import CANARY, MutationBench, outcomes
from mutation_suite import ALL, Score, healthy, named, of_kind, try_all
from tests_e2e_support import Provisioner

from tinykit_ops.checks.manners import MAX_REQUESTS
from tinykit_ops.checks.model import Area, Outcome
from tinykit_ops.checks.registry import all_checks
from tinykit_ops.lab.lab import Lab

LAB = "e2e-mu"
SAMPLE = (
    "exports open",
    "dashboard open",
    "any Origin writes",
    "database served",
    "kits made",
    "another superuser",
    "environment readable",
    "egress open",
    "certificate expired",
    "a bad copy",
    "ended Node.js",
)


@pytest.fixture(scope="module")
def bench(contract_app, tmp_path_factory):
    """A hardened host in a lab of its own."""
    lab = Lab.up(LAB, releases=("13",))
    try:
        provisioner = Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories"))
        bench = MutationBench(provisioner, lab.hosts[0], "caddy", tmp_path_factory.mktemp("bench"))
        bench.harden()
        yield bench
    finally:
        lab.down()


def test_every_breakage_has_a_name_of_its_own_and_finds_what_there_is():
    assert len({each.name for each in ALL}) == len(ALL) >= 80
    known = {check.id for check in all_checks()}
    assert {check for each in ALL for check in each.finds | each.blinds} <= known
    broken = {check.split(".")[0] for each in ALL for check in each.finds}
    assert broken >= {area.value for area in Area} - {Area.WAIVERS}
    assert min(len(of_kind("caddy")), len(of_kind("nginx"))) >= 80
    assert len([each for each in of_kind("caddy", "docker") if each.runtime]) >= 12


@pytest.mark.lab
def test_a_hardened_host_has_no_finding_and_nothing_unknown(bench):
    report = bench.look()
    strange = {
        check: outcome for check, outcome in outcomes(report).items() if outcome != Outcome.PASS
    }
    assert strange == {}
    assert len(report.results) == len(all_checks())
    assert 0 < report.requests <= MAX_REQUESTS


@pytest.mark.lab
def test_looking_changes_no_row_no_rule_and_no_setting(bench):
    before = fingerprint(bench)
    bench.look()
    assert fingerprint(bench) == before


@pytest.mark.lab
def test_no_secret_of_the_host_is_in_any_report_log_or_history(bench):
    secrets = secrets_of(bench)
    assert {CANARY, *(each.password for each in bench.logins)} <= secrets
    assert len(secrets) >= 8
    assert list(told_by_mistake(bench)) == []


@pytest.mark.lab
def test_each_of_a_sample_of_breakages_is_exactly_its_finding(bench):
    score = Score()
    try_all(bench, named(*SAMPLE), score)
    assert healthy(bench, score, "at the end")
    print(score)
    assert score.wrong == []
    assert (score.detected, score.false_alarms) == (len(SAMPLE), 0)
