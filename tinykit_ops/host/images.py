"""The images that the containers run: built on the host, out of what systemd would run too.

One image holds PocketBase, and one holds each unpacked release with Node.js, so that going back to
a release is going back to an image. What they were made from is a label: another base image or
another Node.js makes them anew. Old ones, and what a build left that did not come to its end, are
removed with the releases.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import docker, files
from tinykit_ops.settings.docker import DockerSettings

RECIPE = "2"  #: raise it when `_DOCKERFILE` changes what an image holds
LABEL = "tinykit-ops.from"
NOTE = Path(layout.DOCKER_BASE_NAME)
OURS = "tinykit-ops=1"  #: a label of every layer, also of those that got no name
BASE = f"{layout.DOCKER_IMAGES}/base"
_DOCKERFILE = """\
# Written by tinykit-ops. Nothing is fetched while it is built.
FROM {base}
LABEL {ours}
{copies}
LABEL {label}="{made_from}"
"""


@dataclass(frozen=True)
class Image:
    """An image of ours.

    Attributes:
        content: path in the image → the file or folder on this host.
        proof: what must run in it.
        stamp: a file as old as the image: what was started before must be started anew.
    """

    name: str
    content: dict[str, Path]
    proof: tuple[str, ...]
    stamp: Path


def base_name(sha256: str) -> str:
    """What the image is called that is made of the root file system with this hash."""
    return f"{BASE}:{sha256[:16]}"


def _release_name(release: str) -> str:
    return f"{layout.DOCKER_IMAGES}/tinykit:{release}"


def wanted_images() -> list[Image]:
    """An image for each PocketBase and each release on this host."""
    versions = sorted(Path(layout.POCKETBASE_HOME).glob("*/pocketbase"))
    releases = sorted(Path(layout.TINYKIT_RELEASES).glob("[!.]*"))
    node, built = Path(layout.NODE_BINARY), Path(layout.DOCKER_BUILT)
    return [
        *(
            Image(
                f"{layout.DOCKER_IMAGES}/pocketbase:{binary.parent.name}",
                {layout.POCKETBASE_BINARY: binary},
                (layout.POCKETBASE_BINARY, "--version"),
                built / f"pocketbase-{binary.parent.name}",
            )
            for binary in versions
            if binary.parent.name != "current"
        ),
        *(
            Image(
                _release_name(folder.name),
                {str(node): node, str(folder): folder},
                (str(node), "--version"),
                built / folder.name,
            )
            for folder in releases
        ),
    ]


class ImagesStep:
    """Have the base image, and ours, made from it.

    Args:
        base_sha256: of the root file system that the deploy sent, if the settings name one.
    """

    def __init__(self, settings: DockerSettings, base_sha256: str = "") -> None:
        self.settings = settings
        self.sha256 = base_sha256
        self.base = base_name(base_sha256) if base_sha256 else settings.base_image

    @classmethod
    def of_host(cls, settings: DockerSettings) -> ImagesStep:
        """On the base image of the last deploy, which a host cannot tell from the settings."""
        step = cls(settings)
        step.base = (files.read(NOTE) or "").strip() or step.base
        return step

    def pending(self) -> list[str]:
        """Which images are missing, or made from something else."""
        base = _identity(self.base)
        if not base:
            return [f"base image {self.base}", *(image.name for image in wanted_images())]
        left = [f"image {image.name}" for image in self._missing(base)]
        if files.read(NOTE) != f"{self.base}\n":
            left.append("note the base image")
        return left

    def apply(self) -> None:
        """Get the base image, build what is missing, and remove what nobody uses."""
        self._get_base()
        self.build_missing()
        files.write(NOTE, f"{self.base}\n", mode=0o600)
        self.tidy()

    def build_missing(self, release: str = "") -> None:
        """Build what is missing, for one release or all, out of what is on the host.

        Raises:
            UnavailableError: it cannot be built.
        """
        base = _identity(self.base)
        if not base:
            raise UnavailableError(
                f"the base image {self.base} is not there", hint="run deploys/runtime.py again"
            )
        for image in self._missing(base):
            if not release or image.name == _release_name(release):
                self._build(image, _made_from(image, base))

    def tidy(self) -> None:
        """Remove images of what is gone, and what builds left without a name."""
        wanted = {image.name for image in wanted_images()} | {self.base}
        form = "{{.Repository}}:{{.Tag}}"
        listed = docker.said("image", "ls", "--format", form, f"{layout.DOCKER_IMAGES}/*") or ""
        for name in set(listed.split()) - wanted:
            docker.said("image", "rm", name)  # one that a container still uses stays
        docker.said("image", "prune", "--force", "--filter", f"label={OURS}")

    def _missing(self, base: str) -> Iterator[Image]:
        for image in wanted_images():
            form = f'{{{{index .Config.Labels "{LABEL}"}}}}'
            found = docker.said("image", "inspect", "--format", form, image.name)
            if found != _made_from(image, base) or not image.stamp.exists():
                yield image

    def _get_base(self) -> None:
        if _identity(self.base):
            return
        if self.sha256:
            archive = Path(layout.DOCKER_BASE)
            if not archive.is_file():
                raise UnavailableError(
                    "the base image's archive is not on the host", hint="run the deploy again"
                )
            docker.do("import", str(archive), self.base, seconds=docker.BUILD_SECONDS)
            archive.unlink()
            return
        docker.do(
            *("pull", "--quiet", self.base),
            seconds=docker.PULL_SECONDS,
            hint="see that the host reaches the registry; or set docker.base_archive, for a host "
            "that reaches none",
        )

    def _build(self, image: Image, made_from: str) -> None:
        names = {f"part{number}": path for number, path in enumerate(image.content)}
        text = _DOCKERFILE.format(
            base=self.base,
            copies="\n".join(f"COPY {name} {path}" for name, path in names.items()),
            label=LABEL,
            ours=OURS,
            made_from=made_from,
        )
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "Dockerfile").write_text(text)
            content = {name: image.content[path] for name, path in names.items()}
            try:
                docker.build(image.name, Path(folder), content)
            except UnavailableError:
                self.tidy()  # half an image must not be what keeps the disk full
                raise
        self._prove(image)
        image.stamp.parent.mkdir(parents=True, exist_ok=True)
        image.stamp.touch()

    def _prove(self, image: Image) -> None:
        """Run the program in it once: a base without its libraries is told now, not at a start."""
        words = ("run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL", image.name)
        docker.do(
            *(*words, "bash", "-c", 'exec "$@"', "-", *image.proof),
            hint=f"the base image {self.base} needs bash and libstdc++6, as Debian's has them",
        )


def _identity(name: str) -> str | None:
    return docker.said("image", "inspect", "--format", "{{.Id}}", name)


def _made_from(image: Image, base: str) -> str:
    """A hash of what the image holds; releases and programs lie in folders named by theirs."""
    parts = [RECIPE, base, *(f"{path}={real.resolve()}" for path, real in image.content.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
