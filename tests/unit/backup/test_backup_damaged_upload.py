"""An upload whose object went bad in the target: what a person is told heals it."""

from __future__ import annotations

from pathlib import Path

import pytest
from archive_kit import Small

from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.backup.tables import verify_lines
from tinykit_ops.backup.verify_run import Examined


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "clear"])
def test_the_object_of_a_damaged_upload_is_named_and_once_removed_it_is_sent_again(
    tmp_path: Path, sealed: bool
) -> None:
    small = Small(tmp_path, sealed=sealed)
    small.upload("c1/r2/b.txt", b"sound")
    first = small.backup()
    key = max(first.uploads, key=lambda one: one.size).key
    content = bytearray((small.folder / key).read_bytes())
    content[-1] ^= 1
    (small.folder / key).write_bytes(content)

    verdict = small.verify(first)

    assert verdict.damaged == [key]
    told = "\n".join(verify_lines([Examined(Outcome("disk"), [verdict])]))
    assert f"to do: remove {key} from the target: `backup run` then sends it again" in told
    (small.folder / key).unlink()
    second = small.backup()
    assert small.verify(second).sound
    assert small.backup().uploads == second.uploads


def test_a_lost_upload_is_sent_again_without_anybodys_help(tmp_path: Path) -> None:
    small = Small(tmp_path)
    first = small.backup()
    (small.folder / first.uploads[0].key).unlink()

    verdict = small.verify(first)

    assert not verdict.sound and not verdict.damaged
    assert verdict.remedy == "make a new snapshot"
    assert small.verify(small.backup()).sound
