"""Releases to upgrade to: the contract app, and the same with something wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tinykit_ops.release.pack import pack

#: What is done to the app's first file. It is a module, so what is put before its imports runs
#: after them; a wait at the top would keep the server from listening.
DEFECTS = {
    "good": "",
    "broken": "throw new Error('this release does not start');",
    "deaf": "await new Promise(() => setInterval(() => {}, 1000));",
    "dying": "setTimeout(() => process.exit(1), 3000);",
    "unfit": "",
}
#: The migration of the release `unfit`, which fails on any data.
UNFIT = """migrate(() => { throw new Error("this data does not fit") })\n"""


def variant(app: Path, folder: Path, name: str, defect: str = "good") -> Path:
    """An archive of `app` (another archive) that is another release.

    Args:
        folder: where the archive is made.
        name: makes its bytes, and so its id, differ; also its commit.
        defect: one of DEFECTS.
    """
    tree = folder / f"tree-{name}"
    tree.mkdir(parents=True)
    subprocess.run(["tar", "--zstd", "-xf", app, "-C", tree], check=True)
    (tree / "release.json").unlink()
    index = tree / "build/index.js"
    index.write_text(f"{DEFECTS[defect]}\n{index.read_text()}\n// {name}\n")
    if defect == "unfit":
        (tree / "pocketbase/pb_migrations/1999999999_unfit.js").write_text(UNFIT)
    archive = folder / f"{name}.tar.zst"
    commit = name.encode().hex()[:40].ljust(40, "0")
    pack(tree, archive, mtime=1, metadata={"app": "tinykit", "commit": commit, "node": "24"})
    return archive
