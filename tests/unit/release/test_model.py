"""Naming a source."""

from __future__ import annotations

import pytest

from tinykit_ops.release.commands import build_environment
from tinykit_ops.release.model import Source, SourceError, without_credentials


@pytest.mark.parametrize("commit", ["main", "v1.0", "617db34", "", "g" * 40, "a" * 39, "a" * 41])
def test_a_source_that_is_not_pinned_is_refused(commit: str) -> None:
    with pytest.raises(SourceError, match="not pinned"):
        Source.from_git("https://git.example/tinykit", commit)


def test_a_commit_in_capitals_is_the_same_commit() -> None:
    assert Source.from_git("x", "A" * 40).commit == "a" * 40


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@git.example/x.git", "https://git.example/x.git"),
        ("https://token@git.example:8443/x", "https://git.example:8443/x"),
        ("https://git.example/x", "https://git.example/x"),
        ("git@git.example:x.git", "git@git.example:x.git"),
        ("/srv/tinykit.git", "/srv/tinykit.git"),
    ],
)
def test_credentials_of_a_url_are_not_shown(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


def test_a_build_does_not_see_the_controllers_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYKIT_ADMIN_PASSWORD", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    assert "secret" not in build_environment(git=True).values()
    assert "SSH_AUTH_SOCK" not in build_environment()
    assert build_environment(git=True)["SSH_AUTH_SOCK"] == "/run/agent"
    assert "PATH" in build_environment()
