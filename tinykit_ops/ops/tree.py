"""`tree`: bring files, folders and links to a wanted state, in one round trip.

pyinfra's own file operations cost two round trips a file and show or leave secrets on their way
(see pyinfra-notes). This one asks for the state of all paths at once, sends only what differs
over standard input, and renames each file into place with its final owner and mode, so that
nothing is ever half written, readable too early, or named in an argument.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

from tinykit_ops.deploy import parcel


@dataclass(frozen=True)
class File:
    """A file with this content.

    Attributes:
        content: text (UTF-8) or bytes.
        check: a shell command that reads the new content on standard input and must succeed
            before any file of the same `tree` is replaced.
    """

    path: str
    content: str | bytes
    mode: str = "644"
    user: str = "root"
    group: str = "root"
    check: str = ""

    @property
    def data(self) -> bytes:
        """The content as bytes."""
        return self.content.encode() if isinstance(self.content, str) else self.content

    @property
    def state(self) -> str:
        """How `PathStates` reports this file when it is as wanted."""
        digest = hashlib.sha256(self.data).hexdigest()
        return f"file {self.mode} {self.user} {self.group} {digest}"


@dataclass(frozen=True)
class Folder:
    """A folder; what is in it stays."""

    path: str
    mode: str = "755"
    user: str = "root"
    group: str = "root"

    @property
    def state(self) -> str:
        """How `PathStates` reports this folder when it is as wanted."""
        return f"folder {self.mode} {self.user} {self.group}"


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    path: str
    target: str

    @property
    def state(self) -> str:
        """How `PathStates` reports this link when it is as wanted."""
        return f"link {self.target}"


@dataclass(frozen=True)
class Absent:
    """Nothing at this path."""

    path: str

    @property
    def state(self) -> str:
        """How `PathStates` reports a path that is not there."""
        return "absent"


Entry = File | Folder | Link | Absent

# One line a path; `stat` and `sha256sum` are in every Debian.
_STATE_SCRIPT = """\
for p in {paths}; do
  if [ -L "$p" ]; then echo "link $(readlink "$p")"
  elif [ -d "$p" ]; then echo "folder $(stat -c '%a %U %G' "$p")"
  elif [ -f "$p" ]; then echo "file $(stat -c '%a %U %G' "$p") $(sha256sum <"$p" | cut -c1-64)"
  elif [ -e "$p" ]; then echo other
  else echo absent; fi
done"""

_MAKE_FOLDER = """\
# In a folder that belongs to a program, root must not follow links that the program made there.
folder() {
  if [ -L "$1" ]; then
    echo "$1 is a link to $(readlink "$1"); it must be a folder (mount a volume there instead)" >&2
    exit 1
  fi
  parent=${1%/*}; owner=$(stat -c %U "${parent:-/}")
  if [ "$owner" = root ]; then install -d -o "$2" -g "$3" -m "$4" -- "$1"
  else runuser -u "$owner" -- install -d -m "$4" -- "$1"; fi
}
"""


class PathStates(FactBase[list[str]]):
    """The state of each of some paths, as one word line a path, in their order."""

    def command(self, paths: Sequence[str]) -> str:
        """The shell script that prints them."""
        return _STATE_SCRIPT.format(paths=" ".join(shlex.quote(path) for path in paths))

    def process(self, output: list[str]) -> list[str]:
        """The lines as they are."""
        return output


@operation()
def tree(entries: Sequence[Entry]) -> Generator[StringCommand]:
    """Bring all `entries` to their wanted state; folders must come before what is in them."""
    states = host.get_fact(PathStates, paths=[entry.path for entry in entries]) or []
    pairs = zip(entries, list(states) + [""] * len(entries), strict=False)
    wrong = [entry for entry, state in pairs if state != entry.state]
    if not wrong:
        host.noop(f"{len(entries)} paths are as wanted")
        return
    yield converge(wrong)


def converge(entries: Sequence[Entry]) -> StringCommand:
    """One command that makes these entries so; contents travel over standard input."""
    files = [entry for entry in entries if isinstance(entry, File)]
    checks = [f'{file.check} <"$stage/{n}"' for n, file in enumerate(files) if file.check]
    steps = [*checks, *(_step(entry, files) for entry in entries)]
    script = "\n".join(["set -eu", "umask 077", parcel.UNPACK, _MAKE_FOLDER, *steps])
    packed = parcel.pack(((str(n), file.data) for n, file in enumerate(files)), mode=0o600)
    arguments: Any = {"_stdin": [parcel.as_text(packed)]}
    return StringCommand("sh", "-c", shlex.quote(script), **arguments)


def _step(entry: Entry, files: list[File]) -> str:
    """The shell lines that make one entry so."""
    path = shlex.quote(entry.path)
    if isinstance(entry, Absent):
        return f"rm -rf -- {path}"
    if isinstance(entry, Link):
        new = shlex.quote(f"{entry.path}.new")
        return f"ln -sfn {shlex.quote(entry.target)} {new} && mv -fT {new} {path}"
    if isinstance(entry, Folder):
        return f"folder {path} {entry.user} {entry.group} {entry.mode}"
    owner = f"-o {entry.user} -g {entry.group} -m {entry.mode}"
    # install(1) makes the file 0600 first and widens it last; mv replaces in one step.
    new = shlex.quote(f"{entry.path}.new")
    return f'install {owner} "$stage/{files.index(entry)}" {new} && mv -fT {new} {path}'
