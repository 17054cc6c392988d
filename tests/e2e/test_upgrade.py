"""A sample of `scripts/soak upgrade`: another release on a live instance, and nobody notices."""

from __future__ import annotations

import json

import pytest
from tests_e2e_support import Provisioner
from upgrade_bench import UpgradeBench
from upgrade_releases import variant

from tinykit_ops.artifacts import file_sha256
from tinykit_ops.host.release_step import release_id
from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

RATES = {"own": 15, "pool": 15}


@pytest.fixture(scope="module")
def bench(contract_app, tmp_path_factory):
    """An instance with a published page."""
    lab = Lab.up("e2e-up", releases=("13",), s3=False, disk="4G")
    folder = tmp_path_factory.mktemp("upgrade")
    (folder / "inventories").mkdir()
    yield UpgradeBench(Provisioner(lab, contract_app, folder / "inventories"), folder, RATES)
    lab.down()


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def served(request, bench):
    """The instance behind a proxy, and a second release: (bench, proxy, first, second)."""
    bench.bring(request.param)
    first = bench.serving()
    return bench, request.param, first, bench.install(request.param, f"{request.param}-next")


def test_an_upgrade_and_the_way_back_cost_nobody_anything(served):
    bench, _, first, second = served
    up = bench.activate(second)
    assert (up.code, bench.serving(), bench.at_rest()) == (0, second, [])
    back = bench.rollback()
    assert (back.code, bench.serving(), bench.at_rest()) == (0, first, [])
    assert up.is_fine and back.is_fine, (str(up), str(back))


def test_a_release_that_dies_after_its_start_never_serves_and_its_last_words_are_told(served):
    bench, kind, first, _ = served
    dying = bench.install(kind, f"{kind}-dying", "dying")
    seen = bench.activate(dying)
    assert seen.code == 69
    assert "tinykit-standby.service" in seen.said
    assert (bench.serving(), bench.at_rest()) == (first, [])
    assert seen.is_fine, str(seen)


def test_a_release_whose_migrations_do_not_fit_the_data_costs_nobody_anything(served):
    bench, kind, first, _ = served
    seen = bench.activate(bench.install(kind, f"{kind}-unfit", "unfit"))
    assert seen.code == 69
    assert "this data does not fit" in seen.said
    assert (bench.serving(), bench.at_rest()) == (first, [])
    assert seen.is_fine, str(seen)


def test_a_run_that_is_killed_is_finished_by_the_next_one(served):
    bench, _, _, second = served
    killed = bench.killed(second)
    again = bench.activate(second)
    assert killed.code != 0
    assert (again.code, bench.serving(), bench.at_rest()) == (0, second, [])
    assert killed.is_fine and again.is_fine, (str(killed), str(again))


def test_a_deploy_upgrades_too_and_a_second_one_changes_nothing(bench):
    archive = variant(bench.provisioner.app, bench.folder, "deployed")
    seen = bench.watched("deploy", lambda: _outcome(bench.deploy("caddy", archive)))
    assert seen.code == 0, seen.said[-2000:]
    assert bench.serving() == release_id(file_sha256(archive))
    assert seen.is_fine, str(seen)
    assert bench.deploy("caddy", archive).changed(bench.host.name) == []


def test_the_releases_of_a_host_are_listed_and_kept_in_bounds(bench):
    found = json.loads(bench.command("list", "--format", "json").stdout)
    assert {each["role"] for each in found} >= {"current", "previous"}
    assert bench.command("prune", "--keep", "1").returncode == 0
    left = json.loads(bench.command("list", "--format", "json").stdout)
    assert sorted(each["role"] for each in left) == ["current", "previous"]


def test_a_release_that_is_not_there_is_refused_in_one_sentence(bench):
    refused = bench.command("activate", "ffffffff")
    assert refused.returncode == 64
    assert "No release of this host is 'ffffffff'" in refused.stderr
    assert "Traceback" not in refused.stderr


def _outcome(run):
    return run.code, run.text
