"""A parcel: files for a host as one tar on standard input, taken whole or not at all.

When a controller dies in the middle of sending, the host sees nothing but the end of its input. A
tar that ends between two files is no error to tar(1), so the last file says that all have come.
"""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterable

_END = ".end"

#: Shell lines that unpack a parcel into a folder of their own, `$stage`, that goes with the shell.
UNPACK = f"""\
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
base64 -d | tar -xf - -C "$stage"
if ! [ -e "$stage/{_END}" ]; then
  echo "only a part of the files arrived, so nothing was changed; run again" >&2
  exit 1
fi
"""


def pack(files: Iterable[tuple[str, bytes]], mode: int) -> bytes:
    """The tar of these names and contents: the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in [*files, (_END, b"")]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mode = mode
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def as_text(parcel: bytes) -> str:
    """For `_stdin`, which takes text only."""
    return base64.b64encode(parcel).decode()
