"""Secrets that nobody has to invent, and the environment file that hands them to tinykit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.host import files
from tinykit_ops.settings import Settings

#: Made on the host when the settings give none; they never leave it.
GENERATED = (layout.SUPERUSER_PASSWORD, layout.ADMIN_PASSWORD, layout.HOOK_TOKEN, layout.DEDUP_KEY)


class SecretsStep:
    """Make what is missing under `layout.SECRETS_DIR`, and write tinykit's environment.

    Args:
        settings: of the instance.
        secrets_dir: root's own folder.
        environment: the file that tinykit's unit reads.
    """

    def __init__(
        self,
        settings: Settings,
        secrets_dir: Path = Path(layout.SECRETS_DIR),
        environment: Path = Path(layout.TINYKIT_ENVIRONMENT),
    ) -> None:
        self.settings = settings
        self.secrets_dir = secrets_dir
        self.environment = environment

    def pending(self) -> list[str]:
        """Names of missing secrets, and the environment file when it is not as wanted."""
        missing = [f"secret {name}" for name in self._missing()]
        if missing or files.read(self.environment) != self._environment_text():
            missing.append(f"environment file {self.environment}")
        return missing

    def apply(self) -> None:
        """Make the missing secrets, then write the environment file if it differs."""
        for name in self._missing():
            files.write(self.secrets_dir / name, secrets.token_urlsafe(24), mode=0o600)
        text = self._environment_text()
        if files.read(self.environment) != text:
            files.write(self.environment, text, mode=0o600)

    def _missing(self) -> list[str]:
        return [name for name in GENERATED if not (self.secrets_dir / name).is_file()]

    def _environment_text(self) -> str:
        return "".join(f"{key}={_quoted(value)}\n" for key, value in self._environment().items())

    def _environment(self) -> Mapping[str, str]:
        """The variables of tinykit-facts that are secret or come from the settings."""
        llm = self.settings.llm
        values = {
            "POCKETBASE_ADMIN_EMAIL": self.settings.superuser,
            "POCKETBASE_ADMIN_PASSWORD": self._secret(layout.SUPERUSER_PASSWORD),
            "LLM_PROVIDER": llm.provider,
            "LLM_MODEL": llm.model,
            "LLM_BASE_URL": llm.base_url,
            "LLM_API_KEY": self._secret(layout.LLM_API_KEY) if llm.api_key else None,
        }
        return {key: str(value) for key, value in values.items() if value}

    def _secret(self, name: str) -> str:
        return files.read(self.secrets_dir / name) or ""


def _quoted(value: str) -> str:
    """A value as systemd's EnvironmentFile reads it back, whatever is in it (systemd.exec(5))."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + escaped.replace("`", "\\`") + '"'
