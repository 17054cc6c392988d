"""The contract app as a release: packed by the same code as tinykit itself."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tinykit_ops.release import ReleaseInfo, Source, build_release

CONTRACT_APP = Path(__file__).parent / "contract_app"
#: The app has no commit of its own, so all its files are dated to the day it was first written.
STATED_TIME = 1_795_392_000
_SUFFIXES = (".js", ".json")
_IGNORED = ("node_modules", "build", "pb_data", "__pycache__")


def stated_commit(folder: Path = CONTRACT_APP) -> str:
    """40 hex digits that stand for the app's files: SHA-256 of their names and content, cut."""
    digest = hashlib.sha256()
    for name in _files(folder):
        content = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()[:40]


def build_contract_release(
    out_dir: Path, *, report: Callable[[str], None] = lambda line: None
) -> ReleaseInfo:
    """Build the contract app with npm and pack it into `out_dir`.

    The commit of the result is `stated_commit()`: equal files give an equal archive.

    Raises what `build_release` raises.
    """
    with tempfile.TemporaryDirectory(prefix="tinykit-contract-") as temporary:
        copy = Path(temporary) / "app"
        for name in _files(CONTRACT_APP):
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CONTRACT_APP / name, target)
        source = Source.stated(copy, stated_commit(), STATED_TIME, "tinykit-ops lab")
        return build_release(source, out_dir, report=report)


def _files(folder: Path) -> list[str]:
    """The files that make the app (no README), so that a wheel and a checkout build the same."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix in _SUFFIXES)
    return sorted(str(path) for path in found if not set(path.parts) & set(_IGNORED))
