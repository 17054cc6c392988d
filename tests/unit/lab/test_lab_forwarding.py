from pathlib import Path

import pytest

from tinykit_ops.lab import forwarding

V4, V6, UPLINK = "ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv6/conf/eth0/accept_ra"


class Kernel:
    """A /proc/sys/net made of plain files, and the folder of the notes."""

    def __init__(self, folder: Path, v4: str = "0", v6: str = "0", uplink: str = "1") -> None:
        self.sysctl, self.notes = folder / "sysctl", folder / "notes"
        self.roots = [folder / "labs-a", folder / "labs-b"]
        for root in self.roots:
            root.mkdir()
        for key, value in {V4: v4, V6: v6, UPLINK: uplink}.items():
            (self.sysctl / key).parent.mkdir(parents=True, exist_ok=True)
            (self.sysctl / key).write_text(f"{value}\n")

    def on(self, root: int = 0) -> None:
        forwarding.switch_on(self.roots[root], self.sysctl, self.notes)

    def back(self, root: int = 0) -> None:
        forwarding.put_back(self.roots[root], self.sysctl, self.notes)

    @property
    def values(self) -> tuple[str, ...]:
        return tuple((self.sysctl / key).read_text().strip() for key in (V4, V6, UPLINK))


@pytest.mark.parametrize("before", [("0", "0", "1"), ("1", "0", "0"), ("1", "1", "2")])
def test_the_last_lab_puts_everything_back(tmp_path: Path, before: tuple[str, str, str]) -> None:
    kernel = Kernel(tmp_path, *before)
    kernel.on()
    kernel.on()
    assert kernel.values[:2] == ("1", "1")
    kernel.back()
    assert kernel.values == before
    assert not kernel.notes.exists()


def test_an_uplink_that_lives_by_router_advertisements_keeps_them(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, uplink="1")
    kernel.on()
    assert kernel.values == ("1", "1", "2")


def test_labs_in_another_folder_keep_their_routing(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    kernel.on(0)
    kernel.on(1)
    kernel.back(0)
    assert kernel.values == ("1", "1", "2")
    kernel.back(1)
    assert kernel.values == ("0", "0", "1")


def test_a_folder_that_was_deleted_by_hand_holds_nothing_up(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    kernel.on(0)
    kernel.on(1)
    kernel.roots[1].rmdir()
    kernel.back(0)
    assert kernel.values == ("0", "0", "1")


def test_without_a_lab_nothing_is_touched(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, v4="1", v6="1")
    kernel.back()
    assert kernel.values == ("1", "1", "1")
    assert not kernel.notes.exists()


def test_broken_notes_and_a_vanished_uplink_do_not_stop_it(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    kernel.on()
    (kernel.sysctl / UPLINK).unlink()
    kernel.back()
    assert (kernel.sysctl / V4).read_text() == "0"
    kernel.notes.mkdir()
    (kernel.notes / "forwarding.json").write_text("{")
    kernel.back()
    assert not kernel.notes.exists()
