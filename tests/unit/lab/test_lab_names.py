from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinykit_ops.errors import UsageError
from tinykit_ops.lab.names import MAX_HOSTS, LabNames, RootNames, check_name

ROOT = Path("/var/lib/tinykit-ops/labs")
lab_names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)


@given(name=lab_names, number=st.integers(1, MAX_HOSTS))
def test_every_interface_name_fits_into_fifteen_characters(name: str, number: int) -> None:
    names = LabNames(ROOT, check_name(name))
    links = [names.bridge, names.outside_link, f"vb-{names.machine(number)}"]
    assert all(len(link) <= 15 for link in links)


@given(name=lab_names)
def test_everything_a_lab_makes_is_found_by_the_prefixes_of_its_folder(name: str) -> None:
    names, of_root = LabNames(ROOT, name), RootNames(ROOT)
    assert names.bridge.startswith(of_root.link_prefix)
    assert names.outside_link.startswith(of_root.link_prefix)
    assert names.machine(1).startswith(of_root.link_prefix)
    assert names.netns == of_root.netns_prefix + name
    assert names.table.startswith(of_root.table_prefix)
    assert names.cgroup.startswith(f"{of_root.cgroup}/")


def test_labs_of_two_folders_share_no_prefix() -> None:
    one, other = RootNames(ROOT), RootNames(Path("/tmp/labs"))
    assert one.link_prefix != other.link_prefix
    assert one.netns_prefix != other.netns_prefix
    assert one.table_prefix != other.table_prefix
    assert one.cgroup != other.cgroup


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "../x", "a/b", "a" * 33, "ä", "a\n"])
def test_a_name_that_could_leave_the_folder_or_not_fit_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no name for a lab"):
        check_name(name)
