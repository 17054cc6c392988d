"""Secrets on their way to a host: a file each, under the name that the agent reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tinykit_ops import layout


def secret_name(key: str) -> str:
    """The file name of a setting's secret under `layout.SECRETS_DIR`.

    `backup.targets.NAME.access_key_id` becomes `backup-NAME-access-key-id`, `llm.api_key` becomes
    `llm-api-key`.
    """
    return re.sub(r"[._]", "-", key.replace("backup.targets.", "backup.", 1))


def secret_files(values: Mapping[str, str]) -> dict[str, str]:
    """Path on the host → value, for secrets by settings key."""
    return {f"{layout.SECRETS_DIR}/{secret_name(key)}": value for key, value in values.items()}
