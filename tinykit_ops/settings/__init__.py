"""Settings: what an inventory may say of an instance."""

from tinykit_ops.settings.model import Settings

__all__ = ["Settings"]
