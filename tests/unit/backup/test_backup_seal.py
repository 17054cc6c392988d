from __future__ import annotations

import hashlib
import io
import random
import threading
from contextlib import closing, suppress
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinykit_ops.backup.errors import BackupSettingsError, SealError, WrongKeyError
from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.seal import WORKERS, Sealed, seal_whole
from tinykit_ops.backup.streams import Measure, Meter, Whole
from tinykit_ops.backup.unseal import unseal

KEY = pyrage.x25519.Identity.generate()
PUBLIC = str(KEY.to_public())
BOTH = pytest.mark.parametrize(
    ("recipients", "identities"), [([], []), ([PUBLIC], [KEY])], ids=["plain", "encrypted"]
)


def seal(content: bytes, recipients: list[str], size: int = 1 << 16) -> bytes:
    out = b""
    with closing(Sealed(io.BytesIO(content), recipients)) as stream:
        while chunk := stream.read(size):
            out += chunk
    return out


def opened(sealed: bytes, identities: list[object]) -> bytes:
    out = io.BytesIO()
    unseal(io.BytesIO(sealed), out, identities)
    return out.getvalue()


SOME = b"some content of a database " * 200
SOME_PLAIN = seal(SOME, [])
SOME_ENCRYPTED = seal(SOME, [PUBLIC])  # once: its length differs from time to time


@BOTH
@given(content=st.binary(max_size=5000), size=st.integers(1, 3000))
@settings(deadline=None, max_examples=60)
def test_what_was_sealed_opens_again_however_it_is_read(
    recipients: list[str], identities: list[object], content: bytes, size: int
) -> None:
    assert opened(seal(content, recipients, size), identities) == content


@BOTH
@pytest.mark.parametrize("workers", [0, WORKERS])
def test_sizes_and_hashes_are_of_what_went_in_and_came_out(
    recipients: list[str], identities: list[object], workers: int
) -> None:
    content = random.Random(1).randbytes(3_000_000) + b"the same again " * 2_000_000
    sealed = io.BytesIO()
    with closing(Sealed(io.BytesIO(content), recipients, workers)) as stream:
        out = Meter(stream)
        while chunk := out.read(100_000):
            sealed.write(chunk)
    assert stream.sealed == out.measure
    sealed.seek(0)
    assert unseal(sealed, io.BytesIO(), identities) == stream.plain
    assert stream.plain.size == len(content)


@BOTH
@given(content=st.binary(max_size=5000), size=st.integers(1, 3000))
@settings(deadline=None, max_examples=60)
def test_what_was_sealed_in_memory_opens_like_a_stream(
    recipients: list[str], identities: list[object], content: bytes, size: int
) -> None:
    sealed = seal_whole(Whole(content), recipients)
    out, meter = io.BytesIO(), Meter(sealed)
    while chunk := meter.read(size):
        out.write(chunk)
    assert meter.measure == sealed.measure
    assert opened(out.getvalue(), identities) == content
    plain = Whole(content)
    plain.drop()
    assert plain.measure == Measure(hashlib.sha256(content).hexdigest(), len(content))
    assert plain.read() == b""


@BOTH
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_no_damage_goes_unnoticed(
    recipients: list[str], identities: list[object], data: st.DataObject
) -> None:
    sealed = bytearray(SOME_PLAIN if not recipients else SOME_ENCRYPTED)
    place = data.draw(st.integers(0, len(sealed) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "grow"]))
    if kind == "flip":
        sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del sealed[place:]
    else:
        sealed += data.draw(st.binary(min_size=1, max_size=50))
    try:
        found = opened(bytes(sealed), identities)
    except (SealError, WrongKeyError):
        return
    # zstd leaves some bits of its header unchecked; what comes out must be right all the same.
    assert found == SOME and kind == "flip"


def test_another_key_is_told_from_damage() -> None:
    other = pyrage.x25519.Identity.generate()
    with pytest.raises(WrongKeyError):
        opened(seal(b"x", [PUBLIC]), [other])


def test_any_one_of_several_recipients_can_open() -> None:
    other = pyrage.x25519.Identity.generate()
    sealed = seal(b"hello", [PUBLIC, str(other.to_public())])
    assert opened(sealed, [KEY]) == opened(sealed, [other]) == b"hello"


class Breaking:
    """A file whose disk fails after some megabytes."""

    name = "/var/lib/failing"

    def __init__(self) -> None:
        self.left = 5

    def read(self, size: int = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "Input/output error")
        return random.Random(self.left).randbytes(1 << 18)


@BOTH
@pytest.mark.parametrize("workers", [0, WORKERS])
def test_a_source_that_fails_never_looks_like_an_end(
    recipients: list[str], identities: list[object], workers: int
) -> None:
    with (
        closing(Sealed(Breaking(), recipients, workers)) as stream,
        pytest.raises(SealError, match="Input/output error"),
    ):
        while stream.read(1 << 16):
            pass


def pipes_open() -> set[str]:
    found = set()
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed just now
            found.add(str(handle.readlink()))
    return {target for target in found if target.startswith("pipe:")}


@pytest.mark.parametrize("read", [0, 1000, 1 << 22], ids=["nothing", "a little", "all"])
def test_one_that_is_closed_leaves_no_thread_and_no_pipe(read: int) -> None:
    threads, pipes = set(threading.enumerate()), pipes_open()
    content = random.Random(2).randbytes(1 << 21)
    with closing(Sealed(io.BytesIO(content), [PUBLIC])) as stream:
        assert len(stream.read(read)) <= read
        its_own = pipes_open() - pipes
        assert its_own
    assert set(threading.enumerate()) <= threads
    assert not its_own & pipes_open()


class FullDisk(io.BytesIO):
    def write(self, content: object, /) -> int:
        raise OSError(28, "No space left on device")


@BOTH
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_a_full_disk_while_opening_is_never_swallowed(
    recipients: list[str], identities: list[object], size: int
) -> None:
    sealed = seal(random.Random(1).randbytes(size), recipients)
    with pytest.raises(OSError, match="No space left"):
        unseal(io.BytesIO(sealed), FullDisk(), identities)


def test_a_key_file_reads_with_comments_and_a_wrong_one_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"# created: today\n# public key: {PUBLIC}\n{KEY}\n")
    assert opened(seal(b"x", [PUBLIC]), read_identities(path)) == b"x"
    for text in ("AGE-SECRET-KEY-1CANARY", "", "# only a comment\n"):
        path.write_text(text)
        with pytest.raises(BackupSettingsError) as caught:
            read_identities(path)
        assert "CANARY" not in str(caught.value)
