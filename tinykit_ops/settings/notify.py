"""Whom a backup tells how it went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import Email


def _token_has_an_address(notify: NotifySettings) -> Iterator[Problem]:
    if notify.ntfy_token is not None and notify.ntfy_url is None:
        reason = "is set, and ntfy_url is not: there is nobody to show it to"
        yield Problem("ntfy_token", reason, 'example: "ntfy_url": {"env": "TINYKIT_NTFY_URL"}')


class NotifySettings(Section):
    """Hooks of a backup. One that fails is told in the log and never fails a backup."""

    rules = (_token_has_an_address,)

    ping_url: Secret | None = Field(
        default=None,
        description="Address that is called as healthchecks.io wants it: `/start` is added when a "
        "backup begins, `/fail` when a target did not get its snapshot, nothing when all did. "
        "Whoever knows it can call it, so it is a secret.",
        examples=[{"env": "TINYKIT_PING_URL"}],
    )
    verify_ping_url: Secret | None = Field(
        default=None,
        description="The same for `backup verify`, which has a rhythm of its own. Left out, "
        "`ping_url` is told when a verification fails, and nothing else about it.",
        examples=[{"env": "TINYKIT_VERIFY_PING_URL"}],
    )
    prune_ping_url: Secret | None = Field(
        default=None,
        description="The same for `backup prune`, where it runs by itself.",
        examples=[{"env": "TINYKIT_PRUNE_PING_URL"}],
    )
    webhook_url: Secret | None = Field(
        default=None,
        description="Address that gets a JSON document by POST after every backup, "
        "verification and prune.",
        examples=[{"env": "TINYKIT_WEBHOOK_URL"}],
    )
    ntfy_url: Secret | None = Field(
        default=None,
        description="Address of an ntfy topic, such as `https://ntfy.example.com/TOPIC`: its "
        "readers get a push message. Whoever knows a topic can read it, so it is a secret.",
        examples=[{"env": "TINYKIT_NTFY_URL"}],
    )
    ntfy_token: Secret | None = Field(
        default=None,
        description="Access token for a topic that is not open to everybody.",
        examples=[{"env": "TINYKIT_NTFY_TOKEN"}],
    )
    email: Email | None = Field(
        default=None,
        description="Who gets an e-mail, by the host's own mailer (`/usr/sbin/sendmail`).",
        examples=["ops@example.com"],
    )
    email_on: Literal["failure", "always"] = Field(
        default="failure",
        description="After which backups e-mail and ntfy tell.",
        examples=["failure"],
    )
