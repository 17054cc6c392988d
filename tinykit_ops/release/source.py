"""From a Source to a clean work tree: fetch the commit, or copy the checkout."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tinykit_ops.release.commands import CommandLog, build_environment, output_of
from tinykit_ops.release.model import BuildFailedError, Source, SourceError, without_credentials

MIGRATIONS = "pocketbase/pb_migrations"
_NOT_SOURCE = (".git", "node_modules", "build", ".svelte-kit", "pb_data")


@dataclass(frozen=True)
class WorkTree:
    """A checked-out copy of the source that the build may write into."""

    path: Path
    commit: str
    commit_time: int  #: seconds since the epoch
    source: str  #: where it came from, without credentials
    dirty: bool = False


def prepare(source: Source, path: Path, log: CommandLog, *, allow_dirty: bool) -> WorkTree:
    """Put the source's files into the new folder `path` and check that they can be built.

    Raises SourceError for a dirty, unpinned or foreign source, BuildFailedError when git fails.
    """
    if source.git is not None:
        tree = _from_git(source.git, source.commit or "", path, log)
    elif source.folder is not None and source.commit is not None:
        shutil.copytree(
            source.folder, path, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_SOURCE)
        )
        origin = source.name or str(source.folder)
        tree = WorkTree(path, source.commit, source.commit_time or 0, origin)
    elif source.folder is not None:
        tree = _from_checkout(source.folder, path, allow_dirty=allow_dirty)
    else:
        raise SourceError("No source is given.", hint="Use --git with --commit, or --checkout.")
    _require_tinykit(tree)
    return tree


def _from_git(url: str, commit: str, path: Path, log: CommandLog) -> WorkTree:
    public_url = without_credentials(url)
    path.mkdir(parents=True)
    env = build_environment(git=True) | _credentials_for_git(url)
    log.run(["git", "init", "--quiet"], cwd=path, env=env)
    fetch = ["git", "fetch", "--quiet", "--no-tags"]
    try:
        log.run([*fetch, "--depth=1", "--", public_url, commit], cwd=path, env=env)
    except BuildFailedError:
        # Some servers hand out branches and tags only: take all of them and look inside.
        log.run([*fetch, "--", public_url, "+refs/*:refs/source/*"], cwd=path, env=env)
    found = output_of(["git", "rev-parse", "--verify", f"{commit}^{{commit}}"], cwd=path)
    if found != commit:
        raise SourceError(
            "The repository has no such commit.",
            where=f"{public_url} commit {commit}",
            hint="Was it pushed? `git ls-remote URL` shows what the server has.",
        )
    log.run(["git", "checkout", "--quiet", "--detach", commit], cwd=path)
    time = output_of(["git", "show", "--no-patch", "--format=%ct", commit], cwd=path)
    return WorkTree(path, commit, int(time or 0), public_url)


def _from_checkout(folder: Path, path: Path, *, allow_dirty: bool) -> WorkTree:
    if not folder.is_dir():
        raise SourceError("The checkout is not a folder.", where=str(folder))
    folder = folder.resolve()
    top = output_of(["git", "rev-parse", "--show-toplevel"], cwd=folder)
    commit = output_of(["git", "rev-parse", "--verify", "HEAD^{commit}"], cwd=folder)
    if top is None or commit is None or Path(top).resolve() != folder:
        raise SourceError(
            "The folder is not the top of a git checkout with a commit, so nothing pins it.",
            where=str(folder),
            hint="Commit it first. If git says 'dubious ownership', run as the folder's owner or "
            f"`git config --global --add safe.directory {folder}`.",
        )
    changes = output_of(["git", "status", "--porcelain"], cwd=folder) or ""
    if changes and not allow_dirty:
        raise SourceError(
            "The checkout has changes that are not committed:\n"
            + "\n".join(f"    {line}" for line in changes.splitlines()[:10]),
            where=str(folder),
            hint="Commit or remove them; --allow-dirty builds them anyway and marks the archive.",
        )
    _copy_worked_on_files(folder, path)
    time = output_of(["git", "show", "--no-patch", "--format=%ct", commit], cwd=folder)
    return WorkTree(path, commit, int(time or 0), str(folder), dirty=bool(changes))


def _copy_worked_on_files(folder: Path, path: Path) -> None:
    """Copy tracked and new files, but nothing that is ignored.

    From the disk, not through git: a shallow or partial clone lacks objects, but not files.
    """
    listing = output_of(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=folder
    )
    for name in sorted(set((listing or "").split("\0")) - {""}):
        original = folder / name
        if original.is_symlink() or original.is_file():
            copy = path / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(original, copy, follow_symlinks=False)


def _credentials_for_git(url: str) -> dict[str, str]:
    """Credentials of an http(s) URL as a header in git's environment, so that argv has none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    host = parts.netloc.rpartition("@")[2]
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{parts.scheme}://{host}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {b64encode(pair.encode()).decode()}",
    }


def _require_tinykit(tree: WorkTree) -> None:
    manifest = tree.path / "package.json"
    try:
        scripts = json.loads(manifest.read_text())["scripts"]
        lacking = [] if "build" in scripts else ["a `build` script in package.json"]
    except FileNotFoundError:
        lacking = ["package.json"]
    except (ValueError, KeyError, TypeError):
        lacking = ["a readable package.json with scripts"]
    if not (tree.path / "package-lock.json").is_file():
        lacking.append("package-lock.json")
    if not any((tree.path / MIGRATIONS).glob("*.js")):
        lacking.append(f"{MIGRATIONS}/*.js")
    if lacking:
        raise SourceError(
            f"The source is not a tinykit that can be built: it lacks {', '.join(lacking)}.",
            where=f"{tree.source} commit {tree.commit}",
            hint="Give tinykit's own repository or a fork of it.",
        )
