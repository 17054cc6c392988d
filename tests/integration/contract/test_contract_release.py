"""The contract app as a release."""

from __future__ import annotations

from pathlib import Path

from tinykit_ops.lab.contract import CONTRACT_APP, build_contract_release, stated_commit
from tinykit_ops.release import inspect_archive


def test_the_contract_app_is_packed_like_tinykit_and_says_what_it_is(tmp_path: Path) -> None:
    info = build_contract_release(tmp_path)
    seen = inspect_archive(info.archive)
    assert seen.app == "tinykit-contract-app"
    assert seen.commit == stated_commit()
    assert seen.sha256 == info.sha256


def test_equal_files_give_an_equal_archive(tmp_path: Path) -> None:
    one = build_contract_release(tmp_path / "one")
    two = build_contract_release(tmp_path / "two")
    assert one.archive.read_bytes() == two.archive.read_bytes()


def test_a_changed_file_is_another_commit(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = stated_commit(tmp_path)
    (tmp_path / "a.js").write_text("2")
    assert stated_commit(tmp_path) != before


def test_the_contract_app_downloads_nothing() -> None:
    lock = (CONTRACT_APP / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "dependencies" not in (CONTRACT_APP / "package.json").read_text().replace(
        "no dependencies", ""
    )
