import pytest

from tinykit_ops.errors import UsageError
from tinykit_ops.lab import plan
from tinykit_ops.lab.addresses import choose
from tinykit_ops.lab.state import LabState


def empty() -> LabState:
    return plan.new_lab("demo", choose("/labs/demo", []), s3=True)


def with_hosts(*releases: str) -> LabState:
    return plan.add_hosts(empty(), releases, lambda code: f"{code}-tree", None)


def test_releases_may_be_given_by_number_or_by_name() -> None:
    assert plan.wanted_releases(["13", "bookworm", "Trixie"], 1) == ["trixie", "bookworm", "trixie"]


def test_without_a_release_one_debian_13_is_meant() -> None:
    assert plan.wanted_releases([], 1) == ["trixie"]


def test_count_is_hosts_of_each_release() -> None:
    assert plan.wanted_releases(["13", "12"], 2) == ["trixie", "trixie", "bookworm", "bookworm"]


@pytest.mark.parametrize(("releases", "count"), [(["11"], 1), (["sid"], 1), ([], 0), (["13"], 100)])
def test_what_the_lab_has_not_is_refused(releases: list[str], count: int) -> None:
    with pytest.raises(UsageError):
        plan.wanted_releases(releases, count)


def test_the_same_request_again_adds_nothing() -> None:
    state = with_hosts("trixie", "bookworm")
    assert plan.missing_releases(state, ["trixie", "bookworm"]) == []
    assert plan.missing_releases(state, ["bookworm"]) == []


def test_a_larger_request_adds_only_the_difference() -> None:
    state = with_hosts("trixie")
    assert plan.missing_releases(state, ["trixie", "trixie", "bookworm"]) == ["trixie", "bookworm"]


def test_new_hosts_keep_the_old_ones_names_and_addresses() -> None:
    before = with_hosts("trixie")
    after = plan.add_hosts(before, ["bookworm"], lambda code: f"{code}-tree", "2G")
    assert after.hosts[0] == before.hosts[0]
    assert [host.name for host in after.hosts] == ["tk-1", "tk-2"]
    assert after.hosts[1].address4 != before.hosts[0].address4
    assert after.hosts[1].tree == "bookworm-tree"
    assert after.hosts[1].disk == "2G"


def test_more_hosts_than_addresses_are_refused() -> None:
    state = with_hosts(*["trixie"] * 99)
    with pytest.raises(UsageError, match="99 hosts"):
        plan.add_hosts(state, ["trixie"], str, None)


def test_networks_survive_the_notes() -> None:
    networks = choose("/labs/demo", [])
    assert plan.networks_of(plan.new_lab("demo", networks, s3=False)) == networks
