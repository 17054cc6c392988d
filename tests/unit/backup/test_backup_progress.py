from __future__ import annotations

import io
from contextlib import AbstractContextManager, closing

import pytest

from tinykit_ops.backup.progress import Progress, on_terminal, watched
from tinykit_ops.backup.streams import Whole
from tinykit_ops.backup.targets import Readable


class Memory:
    """A target in memory, as far as progress is concerned."""

    name = "offsite"

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, key: str, stream: Readable) -> None:
        self.kept[key] = b""
        while piece := stream.read(1000):
            self.kept[key] += piece

    def get(self, key: str) -> AbstractContextManager[Readable]:
        return closing(io.BytesIO(self.kept[key]))


class Told:
    def __init__(self) -> None:
        self.targets: list[str] = []
        self.bytes = 0

    def begin(self, target: str) -> None:
        self.targets.append(target)

    def moved(self, count: int) -> None:
        self.bytes += count


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watch(progress: Progress) -> tuple[Memory, object]:
    target = Memory()
    return target, watched(target, progress)  # type: ignore[arg-type]


@pytest.mark.parametrize("stream", [io.BytesIO, Whole])
def test_what_goes_and_what_comes_is_counted_and_passes_unchanged(stream: type) -> None:
    told, content = Told(), b"content" * 700
    target, seen = watch(told)
    seen.put("key", stream(content))  # type: ignore[attr-defined]
    assert target.kept == {"key": content}
    assert told.bytes == len(content)
    with seen.get("key") as opened:  # type: ignore[attr-defined]
        assert opened.read() == content
    assert told.bytes == 2 * len(content)
    assert told.targets == ["offsite"]


def test_a_terminal_shows_which_target_and_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", screen := Terminal())
    with on_terminal() as progress:
        _, seen = watch(progress)
        seen.put("key", io.BytesIO(bytes(3_000_000)))  # type: ignore[attr-defined]
    assert "offsite" in screen.getvalue()
    assert "3.0" in screen.getvalue()


def test_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", pipe := io.StringIO())
    with on_terminal() as progress:
        _, seen = watch(progress)
        seen.put("key", io.BytesIO(b"content"))  # type: ignore[attr-defined]
    assert pipe.getvalue() == ""
