"""What one run of `tinykit-ops check` looks at, and from where."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tinykit_ops.checks.confirm import without_foreign_passes
from tinykit_ops.checks.context import Context, Stance
from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER, Credentials, credentials
from tinykit_ops.checks.dial import Dialer
from tinykit_ops.checks.fingerprint import recognise
from tinykit_ops.checks.fleet import HostLook, look_at_hosts
from tinykit_ops.checks.host import LocalHost
from tinykit_ops.checks.http import Client, tls_context
from tinykit_ops.checks.logins import add_local_sessions, add_sessions
from tinykit_ops.checks.manners import MAX_REQUESTS, ON_HOST_REQUESTS, Manners
from tinykit_ops.checks.model import CannotLook, Check, Vantage
from tinykit_ops.checks.own_config import own_config
from tinykit_ops.checks.registry import select
from tinykit_ops.checks.runner import ON_HOST, InstanceReport, Report, run
from tinykit_ops.checks.ssh_dial import elsewhere
from tinykit_ops.checks.target import Target, parse_target
from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError

if TYPE_CHECKING:
    from tinykit_ops.settings.model import Settings

AT_A_TIME = 4  #: instances of an inventory that are looked at from outside


@dataclass(frozen=True)
class Plan:
    """The words of the command line.

    Attributes:
        url: of the instance; empty for the host alone, or for all domains of an inventory.
        host: look on this machine too.
        inventory: let the agents of its hosts look; says which settings an instance has.
        limit: which hosts of it.
        resolve: `HOST:PORT:ADDRESS` in place of DNS.
        from_netns: a network namespace that is on no allowlist.
        from_ssh: an SSH host that is on no allowlist, as `[USER@]HOST[:PORT]`.
        stance: what is known of this machine's own address.
        timeout: seconds for one request.
        expect_version: of the agent; empty means this one.
        force: also check what does not look like tinykit.
        account_file, superuser_file: whom to log in as; see `credentials`.
        account_email, superuser_email: whose password to ask for.
        settings: of the instance, where neither an inventory nor this host says them.
    """

    url: str = ""
    host: bool = False
    inventory: Path | None = None
    limit: Sequence[str] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    resolve: Sequence[str] = ()
    http_port: int = 80
    ca_file: Path | None = None
    from_netns: str = ""
    from_ssh: str = ""
    stance: Stance = Stance.AUTO
    timeout: float = 10.0
    expect_version: str = ""
    force: bool = False
    account_file: Path | None = None
    superuser_file: Path | None = None
    account_email: str = ""
    superuser_email: str = ""
    settings: Settings | None = None


@dataclass(frozen=True)
class Shared:
    """What all looks of one run have in common: whom they log in as, and the place elsewhere."""

    account: Credentials | None = None
    superuser: Credentials | None = None
    stranger: Dialer | None = None


def outside_plan(settings: Settings) -> Plan:
    """A look at an instance from outside, by somebody who knows its settings and has no account."""
    vantages = (Vantage.OUTSIDE.value, Vantage.OUTSIDER.value)
    return Plan(url=f"https://{settings.domains[0]}", only=vantages, settings=settings)


def examine(plan: Plan) -> Report:
    """Look at everything that the plan names.

    Raises:
        UsageError: the plan makes no sense.
        UnavailableError: an instance does not answer, or is not tinykit.
    """
    checks = select(plan.only, plan.skip)
    if plan.inventory and plan.host:
        raise UsageError("--host and --inventory exclude each other", hint="give one of them")
    if not plan.url and not plan.host and not plan.inventory:
        raise UsageError(
            "Nothing to check",
            hint="give the address of an instance, --host on the host, or --inventory FILE",
        )
    account = credentials(ACCOUNT, plan.account_file, email=plan.account_email)
    superuser = credentials(SUPERUSER, plan.superuser_file, email=plan.superuser_email)
    with elsewhere(plan.from_netns, plan.from_ssh, plan.timeout) as stranger:
        shared = Shared(account, superuser, stranger)
        if plan.inventory:
            return _examine_inventory(plan, plan.inventory, checks, shared)
        if not plan.url:
            checks = _only_on_host(checks)
        return Report((examine_one(plan, plan.url, checks, shared),))


def examine_one(plan: Plan, url: str, checks: Sequence[Check], shared: Shared) -> InstanceReport:
    """An instance from outside, on this machine, or both.

    Raises:
        UnavailableError: it does not answer, or is not tinykit.
    """
    settings, remarks = _settings_of_this_host() if plan.host else (plan.settings, [])
    look = Context(stance=plan.stance, settings=settings, expected_version=plan.expect_version)
    if plan.host:
        look.host = LocalHost()
        add_local_sessions(look, plan.timeout)
    if url:
        remarks += _add_clients(look, plan, _target(plan, url), shared)
    report = run(checks, look, url or socket.gethostname(), remarks)
    return _confirmed(plan, look, report)


def _examine_inventory(
    plan: Plan, inventory: Path, checks: Sequence[Check], shared: Shared
) -> Report:
    """Every instance of an inventory: its host by its agent, and its domain from outside."""
    on_host = [check.id for check in checks if check.looks_from in ON_HOST]
    looks = look_at_hosts(inventory, limit=plan.limit, checks=on_host)
    if plan.url:
        looks = [_host_of(looks, _target(plan, plan.url))]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        reports = pool.map(lambda look: _examine_hosted(plan, look, checks, shared), looks)
        return Report(tuple(reports))


def _examine_hosted(
    plan: Plan, hosted: HostLook, checks: Sequence[Check], shared: Shared
) -> InstanceReport:
    url = plan.url or f"https://{hosted.settings.domains[0]}"
    look = Context(stance=plan.stance, settings=hosted.settings, no_host=hosted.problem)
    remarks = [hosted.problem] if hosted.problem else []
    try:
        remarks += _add_clients(look, plan, _target(plan, url), shared)
    except UnavailableError as error:
        if plan.url:  # that one was asked for; of a whole inventory, the others are to be seen
            raise
        look.client, look.no_web = None, f"{error.what} ({error.where})"
        remarks.append(look.no_web)
    report = _confirmed(plan, look, run(checks, look, url, remarks))
    return report.with_host(hosted.report) if hosted.report else report


def _confirmed(plan: Plan, look: Context, report: InstanceReport) -> InstanceReport:
    """The report; what was not recognised in the beginning need not be in the end."""
    if look.client is None or plan.force:
        return report
    return without_foreign_passes(report, look.client)


def _host_of(looks: Sequence[HostLook], target: Target) -> HostLook:
    """The host of an inventory that serves a domain."""
    serving = [look for look in looks if target.host in look.settings.domains]
    if not serving and len(looks) == 1:
        serving = list(looks)
    if len(serving) != 1:
        raise UsageError(
            f"The inventory does not say which host serves {target.host}",
            hint="its `domains` name it on no host or on several; --limit chooses one",
        )
    return serving[0]


def _settings_of_this_host() -> tuple[Settings | None, list[str]]:
    try:
        return own_config().settings, []
    except TinykitOpsError as error:
        return None, [f"{error.what} ({error.where})"]


def _target(plan: Plan, url: str) -> Target:
    return parse_target(url, http_port=plan.http_port, resolve=tuple(plan.resolve))


def _add_clients(look: Context, plan: Plan, target: Target, shared: Shared) -> list[str]:
    """Give a context its eyes outside. Returns remarks."""
    try:
        tls_context(plan.ca_file, verify=True)
    except CannotLook as reason:
        raise UsageError(f"--ca-file: {reason}", hint="it wants certificates in PEM form") from None
    manners = Manners(plan.timeout, MAX_REQUESTS - ON_HOST_REQUESTS)
    look.client = Client(target, manners=manners, ca_file=plan.ca_file)
    remarks = recognise(look.client, force=plan.force)
    add_sessions(look, shared.account, shared.superuser)
    if shared.stranger:
        look.outsider = replace(look.client, dialer=shared.stranger)
    return remarks


def _only_on_host(checks: Sequence[Check]) -> tuple[Check, ...]:
    chosen = tuple(check for check in checks if check.looks_from in ON_HOST)
    if not chosen:
        raise UsageError(
            "None of these checks looks on the host", hint="give the address of the instance too"
        )
    return chosen
