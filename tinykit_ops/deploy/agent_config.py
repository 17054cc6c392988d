"""The settings as the agent on a host reads them: all of them, but no secret."""

from __future__ import annotations

import json
from typing import Any

from tinykit_ops import layout
from tinykit_ops.deploy.host_secrets import secret_name
from tinykit_ops.settings import Settings
from tinykit_ops.settings.model import Secret


def agent_config(settings: Settings, secrets_dir: str = layout.SECRETS_DIR) -> str:
    """The JSON for `layout.CONFIG_FILE`: where the inventory names a secret's source on the
    controller, it names the file on the host."""
    data = settings.model_dump(mode="json", exclude_none=True)
    for key, holder, field in _secrets(settings, data, ""):
        holder[field] = {"file": f"{secrets_dir}/{secret_name(key)}"}
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def _secrets(model: Any, data: Any, prefix: str) -> list[tuple[str, dict[str, Any], str]]:
    """(settings key, dictionary, field) of every secret that is set."""
    found: list[tuple[str, dict[str, Any], str]] = []
    for field in type(model).model_fields:
        value = getattr(model, field)
        key = f"{prefix}{field}"
        if isinstance(value, Secret):
            found.append((key, data, field))
        elif isinstance(value, list | tuple):
            for item, row in zip(value, data.get(field, []), strict=False):
                if hasattr(type(item), "model_fields"):
                    found += _secrets(item, row, f"{key}.{item.name}.")
        elif hasattr(type(value), "model_fields"):
            found += _secrets(value, data[field], f"{key}.")
    return found
