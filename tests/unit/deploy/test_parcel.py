"""A parcel, unpacked by a real shell."""

import subprocess

import pytest

from tinykit_ops.deploy import parcel

#: One block, many blocks, none; a name in a folder.
FILES = {"one": b"first", "in/two": b"\x00\xff" * 3000, "empty": b""}
LENGTH = len(parcel.as_text(parcel.pack(FILES.items(), mode=0o600)))


def unpack(text):
    script = f'set -eu\n{parcel.UNPACK}find "$stage" -type f | wc -l; cat "$stage/in/two" | wc -c'
    words = ["sh", "-c", script]
    return subprocess.run(words, input=text, capture_output=True, text=True, check=False)


def test_what_arrives_is_what_was_sent():
    said = unpack(parcel.as_text(parcel.pack(FILES.items(), mode=0o600)))
    assert (said.returncode, said.stdout.split()) == (0, ["4", "6000"])  # one says that it is all


def test_the_same_files_make_the_same_parcel():
    assert parcel.pack(FILES.items(), 0o600) == parcel.pack(dict(FILES).items(), 0o600)


@pytest.mark.parametrize("block", range(0, LENGTH * 3 // 4 // 512, 2))
@pytest.mark.parametrize("more", [0, 5, 300])
def test_a_parcel_that_ends_early_is_not_taken(block, more):
    text = parcel.as_text(parcel.pack(FILES.items(), mode=0o600))
    whole = len(FILES) + 1  # headers, and 12 blocks for the long one, one for the short one
    cut = block * 512 + more
    said = unpack(text[: cut * 4 // 3])
    if cut >= (whole + 13) * 512:
        assert said.returncode == 0  # all the files; what is missing fills the tar
    else:
        assert (said.returncode != 0, said.stdout) == (True, "")
