"""Building releases with real git and npm."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import zstandard
from release_kit import Repository

from tinykit_ops.cli import run
from tinykit_ops.release import Source, build_release, ensure_release, inspect_archive
from tinykit_ops.release.build import CannotWriteError
from tinykit_ops.release.model import (
    BuildFailedError,
    OutOfMemoryError,
    SourceError,
    ToolMissingError,
)


def _silent(line: str) -> None:
    """Report nothing."""


def _build(source: Source, out: Path, **rest: bool) -> Path:
    return build_release(source, out, report=_silent, **rest).archive


def test_a_commit_becomes_an_archive_with_hash_and_description(
    repository: Repository, tmp_path: Path
) -> None:
    source = Source.from_git(str(repository.path), repository.commit)
    info = build_release(source, tmp_path / "out", report=_silent)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    stem = f"tinykit-{repository.commit[:12]}"
    assert names == [f"{stem}.json", f"{stem}.tar.zst", f"{stem}.tar.zst.sha256"]
    checked = subprocess.run(
        ["sha256sum", "--check", f"{stem}.tar.zst.sha256"], cwd=tmp_path / "out", check=False
    )
    assert checked.returncode == 0
    told = json.loads((tmp_path / "out" / f"{stem}.json").read_text())
    assert told["commit"] == repository.commit
    assert told["sha256"] == info.sha256
    assert told["app"] == "tinykit"
    assert int(told["node"].split(".")[0]) >= 20
    assert inspect_archive(info.archive).commit == repository.commit


def test_the_same_commit_built_twice_gives_the_same_bytes(
    repository: Repository, tmp_path: Path
) -> None:
    source = Source.from_git(str(repository.path), repository.commit)
    one = _build(source, tmp_path / "one")
    two = _build(source, tmp_path / "two")
    checkout = _build(Source.from_checkout(repository.path), tmp_path / "three")
    assert one.read_bytes() == two.read_bytes() == checkout.read_bytes()


def test_a_bare_repository_and_an_old_commit_work(repository: Repository, tmp_path: Path) -> None:
    old = repository.commit
    repository.script("later", "1")
    repository.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    archive = _build(Source.from_git(str(tmp_path / "bare.git"), old), tmp_path / "out")
    with zstandard.open(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            if member.name == "package.json":
                file = tar.extractfile(member)
                assert file is not None
                assert b"later" not in file.read()


def test_a_commit_that_does_not_exist_is_refused(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such commit"):
        _build(Source.from_git(str(repository.path), "0" * 40), tmp_path / "out")


def test_a_repository_that_does_not_exist_is_told_with_gits_words(tmp_path: Path) -> None:
    with pytest.raises(BuildFailedError, match="does not appear to be a git repository"):
        _build(Source.from_git(str(tmp_path / "nothing"), "0" * 40), tmp_path / "out")


def test_a_dirty_checkout_is_refused_and_its_changes_are_named(
    repository: Repository, tmp_path: Path
) -> None:
    (repository.path / "new file.txt").write_text("x")
    with pytest.raises(SourceError, match=r"new file\.txt"):
        _build(Source.from_checkout(repository.path), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.zst"))


def test_a_dirty_checkout_can_be_built_on_purpose_and_says_so(
    repository: Repository, tmp_path: Path
) -> None:
    (repository.path / "pocketbase/pb_migrations/2.js").write_text("new")
    archive = _build(Source.from_checkout(repository.path), tmp_path / "out", allow_dirty=True)
    assert archive.name.endswith("-dirty.tar.zst")
    assert inspect_archive(archive).dirty


def test_a_folder_outside_git_is_refused(repository: Repository, tmp_path: Path) -> None:
    (repository.path / ".git").rename(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="nothing pins it"):
        _build(Source.from_checkout(repository.path), tmp_path / "out")


@pytest.mark.parametrize("missing", ["package.json", "package-lock.json", "pocketbase"])
def test_a_source_that_is_not_tinykit_is_refused(
    missing: str, repository: Repository, tmp_path: Path
) -> None:
    repository.git("rm", "-q", "-r", missing)
    repository.git("commit", "-q", "-m", "remove")
    with pytest.raises(SourceError, match=f"lacks .*{missing}"):
        _build(Source.from_checkout(repository.path), tmp_path / "out")


def test_a_source_without_a_build_script_is_refused(repository: Repository, tmp_path: Path) -> None:
    (repository.path / "package.json").write_text('{"name": "x", "scripts": {"dev": "true"}}')
    repository.git("commit", "-q", "-a", "-m", "no build")
    with pytest.raises(SourceError, match="a `build` script"):
        _build(Source.from_checkout(repository.path), tmp_path / "out")


def test_a_failing_build_shows_its_last_lines_and_keeps_the_log(
    repository: Repository, tmp_path: Path
) -> None:
    repository.script("build", "console.error('the flux is missing'); process.exit(3)")
    with pytest.raises(BuildFailedError, match="the flux is missing") as failed:
        _build(Source.from_checkout(repository.path), tmp_path / "out")
    log = Path(failed.value.where.removeprefix("log "))
    assert log.parent == tmp_path / "out"
    assert "the flux is missing" in log.read_text()


def test_a_build_whose_heap_is_full_is_told_how_to_get_memory(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.script("build", "const all = []; for (;;) all.push(new Array(1e5).fill(1))")
    monkeypatch.setenv("NODE_OPTIONS", "--max-old-space-size=40")
    with pytest.raises(OutOfMemoryError) as failed:
        _build(Source.from_checkout(repository.path), tmp_path / "out")
    assert "2.4 GB" in failed.value.hint
    assert "swap" in failed.value.hint


def test_a_build_that_the_kernel_kills_is_told_how_to_get_memory(
    repository: Repository, tmp_path: Path
) -> None:
    repository.script("build", "process.kill(process.pid, 'SIGKILL')")
    with pytest.raises(OutOfMemoryError):
        _build(Source.from_checkout(repository.path), tmp_path / "out")


def test_a_build_that_makes_no_server_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.script("build", "console.log('done nothing')")
    with pytest.raises(BuildFailedError, match=r"no build/index\.js"):
        _build(Source.from_checkout(repository.path), tmp_path / "out")


def test_a_postinstall_script_finds_a_pocketbase_and_need_not_download_one(
    repository: Repository, tmp_path: Path
) -> None:
    repository.script(
        "postinstall",
        "require('fs').accessSync('pocketbase/pocketbase', require('fs').constants.X_OK)",
    )
    _build(Source.from_checkout(repository.path), tmp_path / "out")


def test_install_scripts_do_not_see_secrets_of_the_controller(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", "secret")
    repository.script("postinstall", "process.exit(process.env.ADMIN_PASSWORD ? 1 : 0)")
    _build(Source.from_checkout(repository.path), tmp_path / "out")


def _programs(folder: Path, **scripts: str) -> str:
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_an_old_node_is_refused(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _programs(tmp_path / "bin", node="echo v18.19.0")
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ToolMissingError, match=r"newer to build; this is 18\.19\.0"):
        _build(Source.from_checkout(repository.path), tmp_path / "out")


@pytest.mark.parametrize(("there", "missing"), [({}, "node"), ({"node": "echo v20.1.0"}, "npm")])
def test_a_missing_program_is_named(
    there: dict[str, str],
    missing: str,
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", _programs(tmp_path / "bin", **there))
    with pytest.raises(ToolMissingError, match=f"`{missing}` is not installed"):
        _build(Source.from_checkout(repository.path), tmp_path / "out")


def test_an_output_folder_that_cannot_be_made_is_named(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError) as failed:
        _build(Source.from_checkout(repository.path), tmp_path / "file" / "out")
    assert failed.value.exit_code == 73


def test_a_cached_release_is_built_once(repository: Repository, tmp_path: Path) -> None:
    one = ensure_release(str(repository.path), repository.commit, tmp_path / "cache")
    lines: list[str] = []
    two = ensure_release(
        str(repository.path), repository.commit, tmp_path / "cache", report=lines.append
    )
    assert two == one
    assert len(lines) == 1
    assert "from the cache" in lines[0]


def test_a_cached_release_that_was_changed_is_built_again(
    repository: Repository, tmp_path: Path
) -> None:
    one = ensure_release(str(repository.path), repository.commit, tmp_path / "cache")
    one.archive.write_bytes(b"something else")
    two = ensure_release(str(repository.path), repository.commit, tmp_path / "cache")
    assert two.sha256 == one.sha256
    assert inspect_archive(two.archive).commit == repository.commit


def test_the_command_prints_json(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["release", "build", "--checkout", str(repository.path), "--format", "json"]
    assert run([*words, "--out", str(tmp_path / "out")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["commit"] == repository.commit
    assert run(["release", "inspect", told["archive"]]) == 0
    assert repository.commit in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--git", "x"],
        ["--commit", "a" * 40],
        ["--git", "x", "--commit", "main"],
        ["--git", "x", "--commit", "a" * 40, "--checkout", "."],
    ],
)
def test_a_wrong_command_line_is_one_clear_message(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["release", "build", *words]) == 64
    assert "error: " in capsys.readouterr().err
