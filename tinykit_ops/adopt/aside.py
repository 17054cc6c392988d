"""Files of the old install that a deploy would overwrite: out of the way, and back again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.adopt.model import Install

UNITS = Path("/etc/systemd/system")
OURS = "Managed by tinykit-ops"
#: Units that a deploy writes; where the old install has one of that name, it goes aside.
OUR_UNITS = (
    *(layout.TINYKIT_UNIT, layout.TINYKIT_STANDBY_UNIT, layout.POCKETBASE_UNIT),
    *(layout.CADDY_UNIT, layout.NGINX_UNIT, layout.NET_UNIT),
)


class Aside:
    """The old files.

    Args:
        folder: root's; they lie in it by their whole paths.
    """

    def __init__(self, folder: Path, install: Install) -> None:
        self._folder = folder / "files"
        self._install = install

    def put(self) -> None:
        """Move them away; those that are away already stay there."""
        for path in self._paths():
            kept = self._kept(path)
            if not kept.exists() and _is_theirs(path):
                kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _move(path, kept)

    def restore(self) -> None:
        """Remove ours, and move theirs back."""
        for path in self._paths():
            kept = self._kept(path)
            if not _is_theirs(path):
                _remove(path)
            if kept.exists():
                _remove(path)
                _move(kept, path)

    def _paths(self) -> Iterator[Path]:
        for piece in self._install.pieces:
            if piece.kind == "unit" and piece.name not in OUR_UNITS:
                yield from _unit(piece.name)
        for name in OUR_UNITS:
            yield from _unit(name)
        yield Path(layout.CADDY_CONFIG).parent
        yield Path(layout.POCKETBASE_COMMAND)

    def _kept(self, path: Path) -> Path:
        return self._folder / path.relative_to("/")


def _unit(name: str) -> Iterator[Path]:
    yield UNITS / name
    yield UNITS / f"{name}.d"


def _is_theirs(path: Path) -> bool:
    """Whether it is there, and we did not write it."""
    if path.is_dir():
        return not _says_ours(path / Path(layout.CADDY_CONFIG).name)
    return path.exists() and not _says_ours(path)


def _says_ours(path: Path) -> bool:
    try:
        return OURS in path.read_text(errors="replace")[:500]
    except OSError:
        return False


def _move(path: Path, to: Path) -> None:
    """Whole or not at all, also onto another file system."""
    new = to.with_name(f".{to.name}.moving")
    _remove(new)
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, new, symlinks=True)
    else:
        shutil.copy2(path, new, follow_symlinks=False)
    new.rename(to)
    _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
