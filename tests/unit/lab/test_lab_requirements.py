import os
import platform
from pathlib import Path

import pytest

from tinykit_ops.cli import run
from tinykit_ops.errors import AccessError, UnavailableError, UsageError
from tinykit_ops.lab import cgroups, requirements


@pytest.fixture
def as_root_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def have_everything(program: str) -> str:
    return f"/usr/bin/{program}"


def test_on_another_system_it_says_which_one_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with pytest.raises(UnavailableError, match=r"needs Linux.*Darwin"):
        requirements.require_lab(tmp_path, tmp_path)


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(AccessError) as caught:
        requirements.require_lab(tmp_path, tmp_path)
    assert "sudo" in caught.value.hint


@pytest.mark.usefixtures("as_root_on_linux")
def test_all_missing_programs_are_named_at_once_with_one_command(tmp_path: Path) -> None:
    lacking = {"systemd-nspawn", "mmdebstrap", "nft"}
    with pytest.raises(UnavailableError) as caught:
        requirements.require_lab(
            tmp_path, tmp_path, which=lambda name: None if name in lacking else f"/usr/bin/{name}"
        )
    assert all(name in caught.value.what for name in lacking)
    assert caught.value.hint == "apt-get install mmdebstrap nftables systemd-container"


@pytest.mark.usefixtures("as_root_on_linux")
def test_a_disk_of_its_own_needs_mkfs_and_nothing_else_does(tmp_path: Path) -> None:
    def lacks_mkfs(name: str) -> str | None:
        return None if name == "mkfs.ext4" else name

    with pytest.raises(UnavailableError, match=r"mkfs\.ext4"):
        requirements.require_lab(tmp_path, tmp_path, own_disks=True, which=lacks_mkfs)


@pytest.mark.usefixtures("as_root_on_linux")
def test_without_cgroup2_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cgroups, "CGROUP_ROOT", tmp_path)
    with pytest.raises(UnavailableError, match="control groups") as caught:
        requirements.require_lab(tmp_path, tmp_path, which=have_everything)
    assert "mount -t cgroup2" in caught.value.hint


def test_the_file_system_of_a_folder_is_that_of_the_nearest_mount_above() -> None:
    mounts = (
        "overlay / overlay rw 0 0\n"
        "/dev/vda /var/lib ext4 rw 0 0\n"
        "tmpfs /var/lib/my\\040labs tmpfs rw 0 0\n"
        "/dev/vdb /var/library xfs rw 0 0\n"
    )
    assert requirements.filesystem_kind(Path("/var/lib/tinykit"), mounts) == "ext4"
    assert requirements.filesystem_kind(Path("/var/lib/my labs/a"), mounts) == "tmpfs"
    assert requirements.filesystem_kind(Path("/home"), mounts) == "overlay"
    assert requirements.filesystem_kind(Path("/var/lib"), mounts) == "ext4"


@pytest.mark.usefixtures("as_root_on_linux")
def test_an_overlay_cannot_carry_an_overlay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(requirements, "filesystem_kind", lambda _: "overlay")
    monkeypatch.setattr(requirements, "_require_kernel", lambda: None)
    with pytest.raises(UnavailableError) as caught:
        requirements.require_lab(tmp_path, tmp_path, which=have_everything)
    assert "--disk" in caught.value.hint
    assert "TINYKIT_LAB_ROOT" in caught.value.hint


@pytest.mark.parametrize("name", ["a,b", "a:b", "a\\b"])
@pytest.mark.usefixtures("as_root_on_linux")
def test_a_folder_that_mount_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="comma, colon"):
        requirements.require_lab(tmp_path / name, tmp_path, which=have_everything)


def test_the_command_line_ends_with_one_message_and_the_right_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert run(["lab", "up", "--name", "unit"]) == 77
    captured = capsys.readouterr()
    assert captured.err.startswith("error: The lab needs root")
    assert captured.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ["lab", "up", "--release", "11"],
        ["lab", "up", "--count", "0"],
        ["lab", "up", "--name", "Not/A/Name"],
        ["lab", "up", "--disk", "huge"],
        ["lab", "ssh", "--name", "no-such-lab", "tk-1"],
        ["lab", "inventory", "--name", "no-such-lab"],
        ["lab", "exec", "outside"],
    ],
)
def test_wrong_usage_is_told_apart(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TINYKIT_LAB_ROOT", str(tmp_path / "labs"))
    assert run(words) == 64
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "labs").exists()


def test_a_folder_without_labs_is_an_empty_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TINYKIT_LAB_ROOT", str(tmp_path / "labs"))
    assert run(["lab", "list", "--format", "json"]) == 0
    assert capsys.readouterr().out == "[]\n"
    assert run(["lab", "list"]) == 0
    assert "no labs" in capsys.readouterr().out
