"""The nightly look at other hosts' instances from outside, by a verifier."""

from __future__ import annotations

from pydantic import Field

from tinykit_ops.settings.checks import CheckSettings
from tinykit_ops.settings.values import CronSchedule, Source


class OutsideCheckSettings(CheckSettings):
    """The nightly look at the instances from a host that is on no allowlist."""

    enabled: bool = Field(
        default=True,
        description="Whether this host looks at every instance that it verifies, as "
        "`tinykit-ops check https://DOMAIN` does, keeps the results, and tells what is new.",
        examples=[True],
    )
    schedule: CronSchedule = Field(
        default="11 5 * * *",
        description="When: the five fields of crontab(5), in this host's time zone.",
        examples=["11 5 * * *"],
    )
    stranger: bool = Field(
        default=True,
        description="Whether this host is on no allowlist of the instances, so that whatever is "
        "open to it is open to strangers.",
        examples=[True],
    )
    ca_file: Source | None = Field(
        default=None,
        description="Certificate authorities (PEM) on the controller to trust besides the "
        "system's: for instances whose edge has an authority of its own.",
        examples=["lab-ca.pem"],
    )


def as_instance(wanted: OutsideCheckSettings, waivers: Source | None) -> CheckSettings:
    """The same in the words of an instance, for the agent's configuration of one instance.

    Args:
        waivers: of the instance, for where the verifier has none of its own.
    """
    known = {name: getattr(wanted, name) for name in CheckSettings.model_fields}
    return CheckSettings.model_construct(**{**known, "waivers": wanted.waivers or waivers})
