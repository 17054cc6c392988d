"""Proving that a secret is nowhere any more: files, processes, credentials, journal, database.

Looked for are the bytes, as they stand on disk. The secret travels to `grep` through a pipe, so
that looking for it does not put it into an argument. A running PocketBase's database is read as a
plain file, which takes no lock in it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinykit_ops.errors import UnavailableError
from tinykit_ops.host.masking import spellings

#: Where programs of an instance, people and logs leave files.
FOLDERS = ("/etc", "/home", "/opt", "/root", "/run", "/srv", "/tmp", "/usr/local", "/var")  # noqa: S108
SECONDS = 600


def places_of(
    value: str,
    *,
    folders: Iterable[str] = FOLDERS,
    but: Iterable[Path] = (),
    proc: Path = Path("/proc"),
) -> list[str]:
    """Where a text stands on this host, in words; empty when nowhere.

    Args:
        value: what to look for.
        folders: to look through, the databases among them.
        but: files that may have it.

    Raises:
        UnavailableError: it could not be looked for, so nothing is proven.
    """
    allowed = {str(path) for path in but}
    files = [path for path in _files(value, folders) if path not in allowed]
    found = [f"file {path}" for path in files]
    found += _processes(value, proc)
    found += ["the journal"] if _in_journal(value) else []
    return found


def _files(value: str, folders: Iterable[str]) -> list[str]:
    there = [folder for folder in folders if Path(folder).is_dir()]
    # Sockets and pipes are skipped, links not followed. Binary files count like texts also without
    # --text, with which a gigabyte of zeros would be one line in memory.
    words = ["grep", "--recursive", "--files-with-matches", "--null", "--fixed-strings"]
    words += ["--devices=skip", "--no-messages"]
    done = _grep(value, words, there, where=", ".join(there))
    return sorted(name for name in done.stdout.decode(errors="replace").split("\0") if name)


def _processes(value: str, proc: Path) -> list[str]:
    """Arguments and environments of all processes."""
    wanted = [form.encode() for form in spellings(value)]
    found = []
    for folder in proc.glob("[0-9]*"):
        for name in ("environ", "cmdline"):
            try:
                text = (folder / name).read_bytes()
            except OSError:
                continue  # it has ended, or is the kernel's
            if any(form in text for form in wanted):
                found.append(f"{name} of process {folder.name} ({_name(folder)})")
    return found


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text().strip()
    except OSError:
        return "ended"


def _in_journal(value: str) -> bool:
    journal = ["journalctl", "--no-pager", "--output=cat", "--all"]
    with subprocess.Popen(journal, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        words = ["grep", "--fixed-strings", "--max-count=1", "--quiet"]
        try:
            done = _grep(value, words, [], where="the journal", stdin=process.stdout)
        finally:
            process.kill()
    return done.returncode == 0


def _grep(
    value: str, words: list[str], folders: list[str], where: str, stdin: Any = subprocess.DEVNULL
) -> subprocess.CompletedProcess[bytes]:
    with _pipe("\n".join(sorted(spellings(value)))) as descriptor:
        try:
            done = subprocess.run(
                [*words, f"--file=/dev/fd/{descriptor}", *(["--", *folders] if folders else [])],
                stdin=stdin,
                capture_output=True,
                pass_fds=[descriptor],
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnavailableError(
                f"the old secret could not be looked for everywhere within {SECONDS} s",
                where=where,
                hint="run the same again when the host has less to do",
            ) from None
    # 2 is also said of files that went away meanwhile, when others were read.
    if done.returncode > 1 and done.stderr:
        raise UnavailableError(
            "the old secret could not be looked for",
            where=where,
            hint=f"grep said: {done.stderr.decode(errors='replace').strip()[:200]}",
        )
    return done


@contextmanager
def _pipe(text: str) -> Iterator[int]:
    """A descriptor that gives this text; short enough to fit into the pipe at once."""
    reader, writer = os.pipe()
    try:
        with os.fdopen(writer, "w", encoding="utf-8") as file:
            file.write(text)
        yield reader
    finally:
        os.close(reader)
