"""One bare Debian 13 in a lab with an ACME server whose certificates are over in two minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from acme_support import Instance
from tests_e2e_support import Provisioner

from tinykit_ops.lab.lab import Lab

LAB = "e2e-ac"
LIFE_SECONDS = 120


@pytest.fixture(scope="session")
def instance(contract_app, tmp_path_factory) -> Iterator[Instance]:
    lab = Lab.up(LAB, releases=("13",), s3=False, acme_life=LIFE_SECONDS, progress=print)
    yield Instance(lab, Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories")))
    lab.down()


@pytest.fixture(scope="session")
def roots(instance, tmp_path_factory) -> Path:
    """The lab's authority, which a visitor's browser trusts."""
    path = tmp_path_factory.mktemp("roots") / "roots.pem"
    path.write_text(instance.lab.acme.root())
    return path
