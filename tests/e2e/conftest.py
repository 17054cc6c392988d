"""Lab hosts for the end-to-end tests: a lab of their own, taken down at the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from edge_switches import Site
from tests_e2e_support import RUNTIME, Provisioner
from xdist.scheduler import LoadScopeScheduling

from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.names import LAB_DOCKER, state_root

LAB = "e2e"
#: Files that share a lab run on one worker; every other file is a group of its own.
GROUPS = {
    "acme": "acme",
    "browser": "browser",
    "test_edge_load.py": "sw",
    "test_edge_switch.py": "sw",
}
#: Begun first, so that no worker waits at the end for another with one of these.
LONGEST = (
    "test_disaster.py",
    "test_docker.py",
    "test_upgrade.py",
    "test_pocketbase_upgrade.py",
    "test_interrupted_runs.py",
    "sw",
    "test_check_mutations.py",
    "test_day_two.py",
    "test_provision.py",
    "test_adopt.py",
)


def group_of(nodeid: str) -> str:
    """What runs on one worker together with this test."""
    path = Path(nodeid.partition("::")[0])
    return next((GROUPS[part] for part in path.parts if part in GROUPS), path.name)


def pytest_collection_modifyitems(items):
    """Groups in the order in which workers begin them; tests keep theirs within a group."""

    def place(item) -> int:
        group = group_of(item.nodeid)
        return LONGEST.index(group) if group in LONGEST else len(LONGEST)

    items.sort(key=place)


def pytest_configure(config):
    """Workers have labs in folders of their own, so that their names and networks do not meet.

    TINYKIT_E2E_RUNTIME=docker runs the tests on hosts with containers.
    """
    if RUNTIME == "docker":
        os.environ[LAB_DOCKER] = "1"
    config.option.loadscopereorder = False  # the number of tests says nothing about their time
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["TINYKIT_LAB_ROOT"] = f"{state_root()}-{worker}"


class ByLab(LoadScopeScheduling):
    """Tests of one file, or of one lab, run on one worker and in their order."""

    def _split_scope(self, nodeid):
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config, log):
    """In place of what --dist names: whole labs are spread, not tests."""
    return ByLab(config, log)


@pytest.fixture(scope="session")
def contract_app(tmp_path_factory) -> Path:
    """The archive of the contract app; TINYKIT_E2E_APP names another release to test with."""
    given = os.environ.get("TINYKIT_E2E_APP")
    return Path(given) if given else build_contract_release(tmp_path_factory.mktemp("app")).archive


@pytest.fixture(scope="session")
def lab():
    """Two bare hosts, Debian 13 and 12, an outside client and an S3 server."""
    lab = Lab.up(LAB, releases=("13", "12"), progress=print)
    yield lab
    lab.down()


@pytest.fixture(scope="session")
def provisioner(lab, contract_app, tmp_path_factory) -> Provisioner:
    """Runs deploys against hosts of the lab."""
    return Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories"))


@pytest.fixture(scope="session")
def switched_site(contract_app, tmp_path_factory):
    """A bare host that tests bring from one state of the edge to another, in their order."""
    lab = Lab.up("e2e-sw", releases=("13",), s3=False)
    yield Site(Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories")))
    lab.down()


@pytest.fixture(scope="module")
def new_host(contract_app, tmp_path_factory):
    """Makes bare hosts, each in a lab of its own: new_host("13", disk="2G") → Provisioner."""
    labs = []

    def make(release: str, disk: str | None = None) -> Provisioner:
        # Always the same: interfaces have three digits of a lab's name, which two may share.
        name = f"{LAB}-new-{len(labs)}"
        labs.append(Lab.up(name, releases=(release,), s3=False, disk=disk))
        return Provisioner(labs[-1], contract_app, tmp_path_factory.mktemp("inventories"))

    yield make
    for lab in labs:
        lab.down()
