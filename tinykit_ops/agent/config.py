"""What the agent on a host knows: the settings without secrets, and the secrets, a file each."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from tinykit_ops import layout
from tinykit_ops.errors import AccessError, UsageError
from tinykit_ops.settings.model import Settings

_REDEPLOY = "run the agent's deploy again: `pyinfra INVENTORY deploys/full.py`"


@dataclass(frozen=True)
class AgentConfig:
    """The settings that the inventory gave this host, and where its secrets lie.

    Attributes:
        settings: as the inventory said; secrets in it are only references to files.
        secrets_dir: root's folder, one secret a file.
    """

    settings: Settings
    secrets_dir: Path = field(default=Path(layout.SECRETS_DIR))

    def secret_path(self, name: str) -> Path:
        """The file of a secret, such as `hook-token` or `backup-NAME-access-key-id`."""
        return self.secrets_dir / name

    def secret(self, name: str) -> str:
        """The text of a secret, without a line's end.

        Raises:
            UsageError: there is no such secret, or it is empty.
            AccessError: this user may not read it, or others than its owner may.
        """
        path = self.secret_path(name)
        try:
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise AccessError(
                    "A secret can be read by others than its owner",
                    where=str(path),
                    hint=f"`chmod 600 {path}`, and change the secret where it was issued",
                )
            text = path.read_text().rstrip("\r\n")
        except FileNotFoundError:
            raise UsageError(
                f"The secret {name!r} is missing", where=str(path), hint=_REDEPLOY
            ) from None
        except PermissionError:
            raise AccessError(
                f"The secret {name!r} cannot be read by this user",
                where=str(path),
                hint="run this as root",
            ) from None
        if not text:
            raise UsageError(f"The secret {name!r} is empty", where=str(path), hint=_REDEPLOY)
        return text


def load_agent_config(path: Path = Path(layout.CONFIG_FILE)) -> AgentConfig:
    """Read the agent's configuration; secrets are looked for in `secrets/` beside it.

    Raises:
        UsageError: there is none, or a value in it is wrong.
        AccessError: this user may not read it.
    """
    try:
        settings = Settings.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(
            "This host has no tinykit-ops configuration",
            where=str(path),
            hint="this command runs on a provisioned host; there, " + _REDEPLOY,
        ) from None
    except PermissionError:
        raise AccessError(
            "The configuration cannot be read by this user",
            where=str(path),
            hint="run this as root",
        ) from None
    except ValidationError as error:
        raise UsageError(_wrong_values(error), where=str(path), hint=_REDEPLOY) from None
    return AgentConfig(settings, path.parent / Path(layout.SECRETS_DIR).name)


def _wrong_values(error: ValidationError) -> str:
    """All that is wrong, by key; the values themselves stay out of it."""
    faults = [
        f"{'.'.join(str(step) for step in fault['loc']) or 'file'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    ]
    return "The configuration is wrong: " + "; ".join(faults)
