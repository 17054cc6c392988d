"""Verifying snapshots by a schedule: on the instance's own host, or on a verifier."""

from __future__ import annotations

from pydantic import Field

from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import CronSchedule


class VerifySettings(Section):
    """When snapshots are restored and booted to prove that they come back."""

    schedule: CronSchedule = Field(
        default="41 5 * * sun",
        description="When to verify the newest snapshot of every target for archives: the five "
        "fields of crontab(5), in the host's time zone.",
        examples=["41 5 * * sun"],
    )
    identity: Secret | None = Field(
        default=None,
        description="The private age key, or several, as `age-keygen` writes them. Only for "
        "sealed targets. It lets who breaks into this host read every backup: a verifier is the "
        "better place.",
        examples=[{"file": "~/tinykit-backup.key"}],
    )
    read_data_parts: int = Field(
        default=7,
        ge=1,
        le=1000,
        description="Of how many parts of the uploads each verification reads one, by turns; of "
        "the others it looks at presence and size. With 1 it reads everything.",
        examples=[7],
    )
