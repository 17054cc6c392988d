"""Settings: what an inventory may say of an instance.

`load_settings` reads a mapping, `settings_for` the pyinfra host that a deploy runs for, and
`check_inventory`, as the last line of an inventory, stops a run before it connects anywhere.
"""

from tinykit_ops.settings.inventory import (
    check_inventory,
    secrets_for,
    settings_for,
    validate_inventory,
)
from tinykit_ops.settings.load import load_settings
from tinykit_ops.settings.model import Secret, Settings
from tinykit_ops.settings.problems import Problem, SettingsError

__all__ = [
    "Problem",
    "Secret",
    "Settings",
    "SettingsError",
    "check_inventory",
    "load_settings",
    "secrets_for",
    "settings_for",
    "validate_inventory",
]
