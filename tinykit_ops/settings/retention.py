"""How long snapshots stay."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from tinykit_ops.settings.section import Section

_SPAN = re.compile(r"(\d{1,5})\s*([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}


def _span(value: str) -> str:
    match = _SPAN.fullmatch(value.strip().lower())
    if match is None or int(match[1]) == 0:
        raise ValueError("must be a number of hours, days or weeks, such as 36h, 14d or 8w")
    return f"{match[1]}{match[2]}"


Span = Annotated[str, AfterValidator(_span)]


def span(text: str) -> timedelta:
    """The length of a `Span`, such as 14d."""
    return timedelta(hours=int(text[:-1]) * _HOURS[text[-1]])


def _count(default: int, period: str) -> int:
    field: int = Field(
        default=default,
        ge=0,
        le=1000,
        description=f"{period} of which the last one stays; those without a snapshot do not count.",
        examples=[default or 10],
    )
    return field


class RetentionSettings(Section):
    """Which snapshots stay; the newest always does, and so does the last verified one."""

    keep_last: int = Field(
        default=3, ge=1, le=1000, description="How many of the newest stay.", examples=[3]
    )
    keep_within: Span | None = Field(
        default=None,
        description="Every snapshot made within this time before the newest one stays: hours "
        "(`h`), days (`d`) or weeks (`w`).",
        examples=["48h", "14d", "8w"],
    )
    hourly: int = _count(0, "Hours")
    daily: int = _count(7, "Days")
    weekly: int = _count(5, "Weeks")
    monthly: int = _count(12, "Months")
    yearly: int = _count(0, "Years")
