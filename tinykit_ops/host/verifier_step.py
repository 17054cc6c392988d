"""What a verifier needs beside its configuration: each PocketBase that its instances run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tinykit_ops import artifacts, layout
from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.artifacts import Artifact
from tinykit_ops.deploy.host_secrets import secret_name
from tinykit_ops.errors import UsageError
from tinykit_ops.settings import Settings
from tinykit_ops.settings.secrets import secrets_of


class VerifierStep:
    """Install the PocketBase of every instance, and forget instances that are named no more, and
    secrets that the others need no more: their credentials have no business here.

    Args:
        file: names the instances.
        instances: a folder each.
        programs: PocketBase's folder, one a version.
    """

    def __init__(
        self,
        file: Path = Path(layout.VERIFIER_FILE),
        instances: Path = Path(layout.INSTANCES_DIR),
        programs: Path = Path(layout.POCKETBASE_HOME),
    ) -> None:
        self.file = file
        self.instances = instances
        self.programs = programs

    def pending(self) -> list[str]:
        """Versions that are not installed, and folders and secrets to remove."""
        missing = [
            f"pocketbase {artifact.version}"
            for artifact in self._artifacts()
            if artifacts.file_sha256(self._place(artifact))
            != artifact.sha256.get(artifacts.architecture())
        ]
        return [*missing, *(f"remove {path}" for path in self._strangers())]

    def apply(self) -> None:
        """Fetch what is missing, then remove what is strange."""
        for artifact in self._artifacts():
            artifacts.install(artifact, self._place(artifact))
        for path in self._strangers():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _names(self) -> list[str]:
        try:
            return list(json.loads(self.file.read_text())["instances"])
        except (OSError, ValueError, KeyError, TypeError):
            raise UsageError(
                "This host is no verifier",
                where=str(self.file),
                hint="run `pyinfra INVENTORY deploys/verifier.py`",
            ) from None

    def _artifacts(self) -> list[Artifact]:
        found = {}
        for name in self._names():
            chosen = self._settings(name).pocketbase
            artifact = artifacts.find("pocketbase", chosen.version, chosen.sha256)
            found[artifact.version] = artifact
        return list(found.values())

    def _place(self, artifact: Artifact) -> Path:
        return self.programs / artifact.version / artifact.name

    def _strangers(self) -> list[Path]:
        names = self._names()
        folders = (path for path in self.instances.iterdir() if path.name not in names)
        return sorted([*folders, *(path for name in names for path in self._given_up(name))])

    def _given_up(self, name: str) -> list[Path]:
        """Secrets of an instance that its settings do not name any more."""
        wanted = {secret_name(key) for key, _ in secrets_of(self._settings(name))}
        secrets = self.instances / name / Path(layout.SECRETS_DIR).name
        return [path for path in secrets.iterdir() if path.name not in wanted]

    def _settings(self, name: str) -> Settings:
        return load_agent_config(self.instances / name / "config.json").settings
