"""Giving a context its accounts: those that a person named, or those that a host knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.credentials import Credentials
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.manners import ON_HOST_REQUESTS, Manners
from tinykit_ops.checks.own_config import own_config
from tinykit_ops.checks.session import SUPERUSERS, USERS, Session
from tinykit_ops.checks.target import Target
from tinykit_ops.errors import TinykitOpsError

if TYPE_CHECKING:
    from tinykit_ops.agent.config import AgentConfig

#: Whoever shows a bad certificate may be somebody in between, who must not learn a password.
NOT_SURE = "no password was sent, because the certificate is not valid (--ca-file trusts one more)"


def add_sessions(look: Context, account: Credentials | None, superuser: Credentials | None) -> None:
    """Accounts that a person gave; they log in through the edge, if it is certainly the edge."""
    if not look.web.verify:
        if account or superuser:
            look.no_login = NOT_SURE
        return
    client = look.at_builder(look.web)
    if account:
        look.account = Session(client, "/_pb", USERS, account)
    if superuser:
        look.superuser = Session(client, "/_pb", SUPERUSERS, superuser)


def add_local_sessions(look: Context, timeout: float) -> None:
    """The accounts that the deploy made on this host; they log in at PocketBase itself."""
    try:
        config = own_config()
    except TinykitOpsError:
        return
    target = Target("http", "127.0.0.1", layout.POCKETBASE_PORT, layout.POCKETBASE_PORT)
    client = Client(target, manners=Manners(timeout, ON_HOST_REQUESTS))
    email = config.settings.admin_email
    if known := _known(config, email, layout.ADMIN_PASSWORD):
        look.account = Session(client, "", USERS, known)
    if known := _known(config, config.settings.superuser, layout.SUPERUSER_PASSWORD):
        look.superuser = Session(client, "", SUPERUSERS, known)


def _known(config: AgentConfig, email: str, name: str) -> Credentials | None:
    try:
        return Credentials(email, config.secret(name))
    except TinykitOpsError:
        return None
