"""Building a release: source → work tree → npm → archive with its hash and description."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from tinykit_ops.errors import Exit
from tinykit_ops.release.commands import CommandLog, output_of
from tinykit_ops.release.memory import BUILD_PEAK_GB, available_gb
from tinykit_ops.release.model import (
    BuildFailedError,
    ReleaseError,
    ReleaseInfo,
    Source,
    ToolMissingError,
)
from tinykit_ops.release.pack import Packed, pack
from tinykit_ops.release.source import WorkTree, prepare

Report = Callable[[str], None]
MIN_NODE = 20
_NPM_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier")


class CannotWriteError(ReleaseError):
    """The folder for the archive cannot be made or written."""

    exit_code = Exit.CANNOT_CREATE


def build_release(
    source: Source, out: Path, *, allow_dirty: bool = False, report: Report
) -> ReleaseInfo:
    """Build a release and write NAME.tar.zst, NAME.tar.zst.sha256 and NAME.json into `out`.

    NAME is the app's name and the first 12 digits of the commit. The work is done in a temporary
    folder that is removed afterwards; the log stays in `out` when a step fails.

    Args:
        source: what to build.
        out: folder for the results; made if it is missing.
        allow_dirty: build a checkout with changes that are not committed, and mark it so.
        report: called with one line of progress at a time.

    Raises: SourceError, ToolMissingError, OutOfMemoryError, BuildFailedError, CannotWriteError.
    """
    node = require_node()
    try:
        out.mkdir(parents=True, exist_ok=True)
        log = CommandLog(_new_log(out))
    except OSError as error:
        raise CannotWriteError(f"{error.strerror}.", where=str(out)) from None
    with tempfile.TemporaryDirectory(prefix="tinykit-ops-build-") as temporary:
        report("source: fetching")
        tree = prepare(source, Path(temporary) / "tree", log, allow_dirty=allow_dirty)
        report(f"source: {tree.source} at {tree.commit}{' (dirty)' if tree.dirty else ''}")
        _build(tree, log, report)
        info = _write(tree, out, node, report)
    log.path.unlink()
    return info


def require_node() -> str:
    """Return the version of node, like "20.19.2". Raises ToolMissingError: none, or too old."""
    version = (output_of(["node", "--version"]) or "").removeprefix("v")
    major = version.split(".")[0]
    if not major.isdigit() or int(major) < MIN_NODE:
        raise ToolMissingError(
            f"tinykit needs Node.js {MIN_NODE} or newer to build; this is {version or 'unknown'}.",
            where="node in PATH",
            hint="Debian 13 has Node.js 20; on older systems take a newer one from upstream.",
        )
    output_of(["npm", "--version"])
    return version


def _build(tree: WorkTree, log: CommandLog, report: Report) -> None:
    _keep_postinstall_from_downloading(tree.path)
    free = available_gb()
    if 0 < free < BUILD_PEAK_GB:
        report(f"warning: {free:.1f} GB of memory are free, tinykit needs {BUILD_PEAK_GB} GB")
    for words in (
        ("npm", "ci", *_NPM_QUIET),
        ("npm", "run", "build"),
        ("npm", "prune", "--omit=dev", *_NPM_QUIET),
    ):
        step = " ".join(words[:3]) if words[1] == "run" else " ".join(words[:2])
        report(f"{step}: running (log {log.path})")
        began = monotonic()
        log.run(words, cwd=tree.path)
        report(f"{step}: done in {monotonic() - began:.0f} s")
    if not (tree.path / "build" / "index.js").is_file():
        raise BuildFailedError(
            "The build ended well but made no build/index.js.",
            where=f"log {log.path}",
            hint="tinykit is built with SvelteKit's adapter-node; does this source use another?",
        )


def _keep_postinstall_from_downloading(tree: Path) -> None:
    """tinykit's postinstall fetches PocketBase without a checksum unless this file exists."""
    placeholder = tree / "pocketbase" / "pocketbase"
    placeholder.write_text("#!/bin/sh\nexit 1\n")
    placeholder.chmod(0o755)


def _write(tree: WorkTree, out: Path, node: str, report: Report) -> ReleaseInfo:
    report("archive: packing")
    app = str(json.loads((tree.path / "package.json").read_text()).get("name", "tinykit"))
    inside: dict[str, object] = {
        "app": app,
        "commit": tree.commit,
        "dirty": tree.dirty,
        "node": node,
    }
    name = f"{re.sub(r'[^a-z0-9.-]+', '-', app.lower()).strip('-')}-{tree.commit[:12]}"
    archive = out / f"{name}{'-dirty' if tree.dirty else ''}.tar.zst"
    unfinished = archive.with_name(f".{archive.name}.unfinished")
    try:
        packed = pack(tree.path, unfinished, mtime=tree.commit_time, metadata=inside)
        unfinished.replace(archive)
        info = _info(tree, archive, packed, app, node)
        _write_sidecars(info)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise CannotWriteError(
            f"The archive cannot be written: {error.strerror}.", where=str(archive)
        ) from None
    report(f"archive: {archive} ({packed.size / 1e6:.1f} MB, sha256 {packed.sha256})")
    return info


def _info(tree: WorkTree, archive: Path, packed: Packed, app: str, node: str) -> ReleaseInfo:
    return ReleaseInfo(
        archive=archive,
        sha256=packed.sha256,
        commit=tree.commit,
        app=app,
        node=node,
        size=packed.size,
        unpacked_size=packed.unpacked_size,
        source=tree.source,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        dirty=tree.dirty,
    )


def description_path(archive: Path) -> Path:
    """The JSON file that describes an archive: NAME.json beside NAME.tar.zst."""
    return archive.with_name(archive.name.removesuffix(".tar.zst") + ".json")


def _write_sidecars(info: ReleaseInfo) -> None:
    digest = info.archive.with_name(info.archive.name + ".sha256")
    digest.write_text(f"{info.sha256}  {info.archive.name}\n")
    text = json.dumps(asdict(info) | {"archive": info.archive.name}, indent=2, sort_keys=True)
    description_path(info.archive).write_text(text + "\n")


def _new_log(out: Path) -> Path:
    handle = tempfile.NamedTemporaryFile(  # noqa: SIM115 - the log outlives this function
        dir=out, prefix="build-", suffix=".log", delete=False
    )
    handle.close()
    return Path(handle.name)
