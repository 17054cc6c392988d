"""Secrets: not in argument lists, not in the journal, not in what browsers get."""

from __future__ import annotations

from tinykit_ops import layout
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.host_secrets import names_in, secrets_of
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    passed,
)
from tinykit_ops.checks.registry import check

_LINE = "Secrets only on the server"
_JOURNAL = ("journalctl", "--no-pager", "--quiet", "--output=cat", "--since=-7d", "--lines=30000")
#: Begins the link with which a PocketBase without a superuser gives itself away.
_INSTALL_LINK = "/_/#/pbinstal/"
_CLIENT = f"{layout.TINYKIT_CURRENT}/build/client"


@check(
    id="secrets.files-private",
    title="The files that hold secrets are root's alone",
    area=Area.SECRETS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist="Use environment variables for secrets",
    remedy=Remedy(
        by_hand=f"chown -R root:root {layout.SECRETS_DIR} && chmod -R u=rwX,go= "
        f"{layout.SECRETS_DIR}\nWhatever others could read has to be changed."
    ),
)
def secret_files_are_private(look: Context) -> Verdict:
    """Looks for files and folders there that somebody else may read, or owns."""
    folder = layout.SECRETS_DIR
    if look.machine.stat(folder) is None:
        raise CannotLook(f"there is no {folder}")
    strange = ("(", "-perm", "/077", "-o", "!", "-user", "root", ")")
    found = look.machine.run("find", folder, *strange)
    if found.status != 0:
        raise CannotLook(f"`find {folder}` failed: {found.complaint}")
    if paths := found.out.split():
        return failed(*(f"{path} is not root's alone" for path in paths))
    return passed(f"everything under {folder} is root's alone")


@check(
    id="secrets.not-in-arguments",
    title="No program has a secret in its arguments",
    area=Area.SECRETS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Give the program its secret by a file, standard input or the environment, and "
        "change the secret: every user of the host can read arguments (`ps -ef`)."
    ),
)
def arguments_hold_no_secret(look: Context) -> Verdict:
    """Looks for the host's own secrets in the arguments of all running programs."""
    secrets = secrets_of(look)
    listed = look.machine.run("ps", "-ww", "-eo", "pid=,args=")
    if listed.status != 0 or not listed.out.strip():
        raise CannotLook(f"`ps` failed: {listed.complaint}")
    tally = Tally()
    for line in listed.out.splitlines():
        for name in names_in(line, secrets):
            tally.bad.append(f"process {line.split()[0]} has {name} in its arguments")
    programs = len(listed.out.splitlines())
    tally.good.append(f"none of {len(secrets)} secrets is in the arguments of {programs} programs")
    return tally.verdict()


@check(
    id="secrets.not-in-journal",
    title="No secret is in the host's journal",
    area=Area.SECRETS,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand="Change the secret, and stop what logs it. A link for installing PocketBase means "
        "that it was started before it had a superuser: whoever read the log may have made one "
        "(check `database.superusers-known`)."
    ),
)
def journal_holds_no_secret(look: Context) -> Verdict:
    """Looks for the host's own secrets, and PocketBase's install link, in a week's last lines."""
    secrets = secrets_of(look)
    said = look.machine.run(*_JOURNAL)
    if said.status != 0:
        raise CannotLook(f"`journalctl` failed: {said.complaint}")
    if not said.out.strip():
        raise CannotLook("the journal is empty, or may not be read")
    tally = Tally(bad=[f"the journal holds {name}" for name in names_in(said.out, secrets)])
    if _INSTALL_LINK in said.out:
        tally.bad.append("the journal holds a link for making the first superuser")
    lines = said.out.count("\n")
    tally.good.append(f"none of {len(secrets)} secrets is in the last {lines} lines of a week")
    return tally.verdict()


@check(
    id="secrets.release-clean",
    title="The release that browsers load holds none of the configured secrets",
    area=Area.SECRETS,
    severity=Severity.CRITICAL,
    looks_from=Vantage.HOST,
    checklist="API keys in .env, never in the browser",
    remedy=Remedy(
        by_hand="Change the secret, and build the release without it: a build takes variables of "
        "its environment (PUBLIC_…, VITE_…) into what browsers get."
    ),
)
def release_holds_no_secret(look: Context) -> Verdict:
    """Looks for the host's own secrets in every script, page and style of the release."""
    secrets, tally = secrets_of(look), Tally()
    kinds = [
        word
        for kind in ("js", "html", "css", "json", "map")
        for word in ("-o", "-name", f"*.{kind}")
    ]
    listed = look.machine.run("find", _CLIENT, "-type", "f", "(", *kinds[1:], ")")
    if listed.status != 0:
        raise CannotLook(f"`find {_CLIENT}` failed: {listed.complaint}")
    paths = listed.out.split()
    if not paths:
        raise CannotLook(f"there is nothing in {_CLIENT}")
    for path in paths:
        tally.bad += [
            f"{path} holds {name}" for name in names_in(look.machine.read(path) or "", secrets)
        ]
    tally.good.append(f"none of {len(secrets)} secrets is in {len(paths)} files of the release")
    return tally.verdict()
