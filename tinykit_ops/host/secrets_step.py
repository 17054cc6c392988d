"""Secrets that nobody has to invent, and the environment file that hands them to tinykit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.deploy.host_secrets import secret_name
from tinykit_ops.host import files
from tinykit_ops.settings import Settings
from tinykit_ops.settings.secrets import secrets_of

#: Made on the host when the settings give none; they never leave it.
GENERATED = (
    layout.SUPERUSER_PASSWORD,
    layout.ADMIN_PASSWORD,
    layout.HOOK_TOKEN,
    layout.BASIC_PASSWORD,
    layout.BASIC_COOKIE,
    layout.DEDUP_KEY,
)
#: There while a rotation is under way, which the next run of it, or of a deploy, finishes.
ROTATING = (layout.SUPERUSER_PASSWORD_NEXT, layout.SUPERUSER_PASSWORD_BEFORE)


class SecretsStep:
    """Make what is missing under `layout.SECRETS_DIR`, and write tinykit's environment.

    What the settings do not name any more is removed: the keys of a target that was given up have
    no business on the host.

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
        return [*missing, *(f"remove secret {path.name}" for path in self._strangers())]

    def apply(self) -> None:
        """Make the missing secrets, then write the environment file if it differs, then tidy up."""
        for name in self._missing():
            files.write(self.secrets_dir / name, secrets.token_urlsafe(24), mode=0o600)
        text = self._environment_text()
        if files.read(self.environment) != text:
            files.write(self.environment, text, mode=0o600)
        for path in self._strangers():
            path.unlink(missing_ok=True)

    def _missing(self) -> list[str]:
        return [name for name in GENERATED if not (self.secrets_dir / name).is_file()]

    def _strangers(self) -> list[Path]:
        """Files that are neither made here nor given by the inventory, nor of a rotation."""
        wanted = {
            *GENERATED,
            *ROTATING,
            *(secret_name(key) for key, _ in secrets_of(self.settings)),
        }
        return sorted(path for path in self.secrets_dir.iterdir() if path.name not in wanted)

    def _environment_text(self) -> str:
        password = self._secret(layout.SUPERUSER_PASSWORD)
        return self.environment_for(self.settings.superuser, password)

    def environment_for(self, superuser: str, password: str) -> str:
        """The text of tinykit's environment file, with these credentials for PocketBase."""
        found = self._environment(superuser, password)
        return "".join(f"{key}={quoted(value)}\n" for key, value in found.items())

    def _environment(self, superuser: str, password: str) -> Mapping[str, str]:
        """The variables of tinykit-facts that are secret or come from the settings."""
        llm = self.settings.llm
        values = {
            "POCKETBASE_ADMIN_EMAIL": superuser,
            "POCKETBASE_ADMIN_PASSWORD": password,
            "LLM_PROVIDER": llm.provider,
            "LLM_MODEL": llm.model,
            "LLM_BASE_URL": llm.base_url,
            "LLM_API_KEY": self._secret(layout.LLM_API_KEY) if llm.api_key else None,
        }
        return {key: str(value) for key, value in values.items() if value}

    def _secret(self, name: str) -> str:
        return (files.read(self.secrets_dir / name) or "").rstrip("\r\n")


def quoted(value: str) -> str:
    """A value as systemd's EnvironmentFile reads it back, whatever is in it (systemd.exec(5))."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + escaped.replace("`", "\\`") + '"'
