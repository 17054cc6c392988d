"""A host on a bad day: disks that are full, or fill up meanwhile, and a clock that is days off."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from backup_kit import Instance, S3Server, objects, snapshots
from campaign_bench import make_key, tell
from fault_cases import Case, must_fail, must_work, restored

from tinykit_ops.backup import snapshot
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.spool import Spool

UPLOAD = 3 << 20  #: nothing compresses it
FULL = ("disk is full", "disk was full", "Not enough room")


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Path]:
    """A file system of that size in place of a folder, which is made for it."""
    folder.mkdir(exist_ok=True, parents=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", str(folder)]
    subprocess.run(words, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(folder: Path, kib: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kib}k", str(folder)], check=True)


def used_kib(folder: Path) -> int:
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_bsize // 1024


class DiskFaults:
    """Makes cases of full disks around one instance with a directory and a sealed S3 target."""

    def __init__(self, instance: Instance, s3: S3Server, rng: random.Random) -> None:
        self.instance, self.rng = instance, rng
        key, public = make_key(instance.root, "host.txt")
        self.identity = ("--identity", str(key))
        instance.targets.clear()
        instance.retention = {"keep_last": 3}
        self.disk = instance.add_directory("small")
        self.bucket = instance.add_s3(s3, name="far", encryption=[public])
        self._upload()
        assert instance.run("run") == 0

    def makers(self) -> list[Callable[[], Case]]:
        return [
            self.target_full,
            self.target_full,
            self.copy_full,
            self.copy_fills,
            self.state_full,
            self.spool_fills,
            self.nothing_noted,
            self.verify_full,
            self.restore_full,
        ]

    def _upload(self) -> None:
        content = {"papers": ("big.bin", self.rng.randbytes(UPLOAD))}
        self.instance.server.pb.create_record("notes", {"title": "big"}, content)

    def _sound(self, target: str) -> list[str]:
        """The newest snapshot of a target is whole."""
        words = ("verify", "--target", target, "--no-boot", *self.identity)
        return must_work(tell(self.instance, *words))

    def _then_well(self) -> list[str]:
        before = {folder: set(snapshots(folder)) for folder in (self.disk, self.bucket)}
        wrong = must_work(tell(self.instance, "run"))
        new = [set(snapshots(folder)) - known for folder, known in before.items()]
        wrong += [] if all(len(one) == 1 for one in new) else [f"the next run made {new}"]
        return wrong + self._sound("small") + self._sound("far")

    # Targets -----------------------------------------------------------------------------------

    def target_full(self) -> Case:
        """Room for a random share of what the next snapshot needs, beside the last one."""
        room = self.rng.randrange(UPLOAD // 1024 + 200)

        def try_it() -> list[str]:
            with small_disk(self.disk, 64 << 10):
                assert self.instance.run("run", "--target", "small") == 0
                first = snapshots(self.disk)
                self._upload()
                resize(self.disk, used_kib(self.disk) + room)
                code, said = tell(self.instance, "run", "--target", "small")
                new = set(snapshots(self.disk)) - set(first)
                wrong = [] if code == 0 or (code, bool(new)) == (1, False) else [f"{code} {new}"]
                wrong += must_fail((code, said), *FULL) if code else []
                wrong += self._sound("small")
                wrong += [key for key in objects(self.disk) if ".partial-" in key]
                resize(self.disk, 64 << 10)
                wrong += must_work(tell(self.instance, "run", "--target", "small"))
                return wrong + self._sound("small")

        return Case("full disks", f"{room} KiB left in a directory target", try_it)

    # This host ---------------------------------------------------------------------------------

    def copy_full(self) -> Case:
        return self._host_case("no room for PocketBase's copy", self.instance.server.snapshots)

    def copy_fills(self) -> Case:
        return self._host_case(
            "PocketBase's disk fills while it copies",
            self.instance.server.snapshots,
            patch.object(snapshot, "_need_space", lambda places: None),
        )

    def state_full(self) -> Case:
        """Not even the status can be written then; the exit code and the words have to tell it."""
        return self._host_case("no room for the agent's state", self.instance.places.state)

    def spool_fills(self) -> Case:
        """The disk had room when a big upload was begun to be sealed there."""
        sealed = self.instance.places.state / "sealed-far"
        return self._host_case(
            "the spool's disk fills while an upload is sealed",
            sealed,
            patch("tinykit_ops.backup.archive_uploads.BIG_BYTES", 1 << 20),
            patch("tinykit_ops.backup.archive_uploads.MIDDLE_BYTES", 1 << 20),
            patch.object(Spool, "has_room", lambda spool, size: True),
            kib=self.rng.randrange(64, UPLOAD // 1024 - 200),
        )

    def nothing_noted(self) -> Case:
        """No room for status or metrics: a snapshot that is whole is one all the same."""
        folder = self.rng.choice([self.instance.places.metrics, self.instance.places.state])
        is_state = folder == self.instance.places.state

        def try_it() -> list[str]:
            before = {one: set(snapshots(one)) for one in (self.disk, self.bucket)}
            with small_disk(folder, 4), ExitStack() as stack:
                if is_state:  # its work folder is on a disk of its own, where there is room
                    stack.enter_context(small_disk(folder / "elsewhere", 64 << 10))
                    work = property(lambda places: folder / "elsewhere" / "work")
                    stack.enter_context(patch.object(Places, "work", work))
                (folder / "filler").write_bytes(b"x" * 4096) if not is_state else None
                code, said = tell(self.instance, "run")
            new = [set(snapshots(one)) - known for one, known in before.items()]
            wrong = [] if code in (0, 1) else [f"ended with {code}"]
            wrong += [] if "could not be noted" in said else [f"does not tell: {said!r}"]
            wrong += [
                f"{name}: told {said!r}, new: {found}"
                for name, found in zip(("small", "far"), new, strict=True)
                if (f"ok {name}" in said) != bool(found)
            ]
            return wrong + self._then_well()

        name = "the status" if is_state else "metrics"
        return Case("full disks", f"no room for {name}", try_it)

    def _host_case(self, name: str, folder: Path, *patches: object, kib: int = 0) -> Case:
        size = kib or self.rng.randrange(16, 180)

        def try_it() -> list[str]:
            self._upload()
            before = {one: set(snapshots(one)) for one in (self.disk, self.bucket)}
            with small_disk(folder, size):
                answer = _patched(patches, lambda: tell(self.instance, "run"))
            wrong = must_fail(answer, *FULL)
            for one, known in before.items():
                target = "small" if one == self.disk else "far"
                told = f"ok {target}" in answer[1]
                new = set(snapshots(one)) - known
                if told != bool(new):
                    wrong.append(f"{target}: told {'ok' if told else 'failed'}, new: {new}")
            wrong += self._sound("small") + self._sound("far")
            if folder.name.startswith("sealed-") and folder.exists():
                folder.rmdir()
            return wrong + self._then_well()

        return Case("full disks", f"{name} ({size} KiB)", try_it)

    # Reading -----------------------------------------------------------------------------------

    def verify_full(self) -> Case:
        """A verifier's full disk says nothing about the snapshot."""
        size = self.rng.randrange(16, 120)

        def try_it() -> list[str]:
            with (
                small_disk(self.instance.root / "tmp", size) as folder,
                patch.dict(os.environ, {"TMPDIR": str(folder)}),
                patch.object(tempfile, "tempdir", None),
            ):
                words = ("verify", "--target", "small", "--no-boot")
                wrong = must_fail(tell(self.instance, *words), *FULL, codes=(74,))
            return wrong + self._sound("small")

        return Case("full disks", f"{size} KiB for a verification", try_it)

    def restore_full(self) -> Case:
        size = self.rng.randrange(16, UPLOAD // 1024)

        def try_it() -> list[str]:
            with small_disk(self.instance.root / "room", size) as folder:
                host = _Elsewhere(self.instance, folder)
                code, said, files = restored(host, "latest", "--target", "small")  # type: ignore[arg-type]
            wrong = must_fail((code, said), *FULL, codes=(74,))
            return wrong + (["something was restored"] if files else [])

        return Case("full disks", f"{size} KiB for a restore", try_it)


class _Elsewhere:
    """An instance that restores to another disk."""

    def __init__(self, instance: Instance, root: Path) -> None:
        self.root, self.run = root, instance.run


def _patched(patches: tuple[object, ...], do: Callable[[], tuple[int, str]]) -> tuple[int, str]:
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)  # type: ignore[arg-type]
        return do()
