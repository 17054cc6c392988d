"""Files: tinykit changes no program, and writes nowhere."""

from __future__ import annotations

from tinykit_ops import layout
from tinykit_ops.checks.containers import find_container, in_containers
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.host import HostFacts
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

_LINE = "File operations scoped to the workspace"
_PROGRAMS = (layout.TINYKIT_HOME, layout.POCKETBASE_HOME, layout.NODE_HOME)
_WANTED = {"ProtectSystem": "strict", "ProtectHome": "yes", "NoNewPrivileges": "yes"}


@check(
    id="files.programs-roots",
    title="Nobody but root changes the programs that run",
    area=Area.FILES,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand=f"chown -R root:root {' '.join(_PROGRAMS)} && chmod -R go-w {' '.join(_PROGRAMS)}\n"
        "and find out who wrote there, before you trust what lies there: deploy the release anew."
    ),
)
def programs_are_roots(look: Context) -> Verdict:
    """Looks for files of others, or that others may write, among the programs."""
    tally = Tally()
    for folder in _PROGRAMS:
        if look.machine.stat(folder) is None:
            tally.unseen.append(f"there is no {folder}")
            continue
        # The setup marker is the business of `secrets.setup-marker`.
        others = ("!", "-type", "l", "!", "-name", ".setup_complete")
        strange = ("(", "!", "-user", "root", "-o", "-perm", "/022", ")")
        words = ("find", folder, *others, *strange, "-print", "-quit")
        found = look.machine.run(*words)
        if found.status != 0:
            tally.unseen.append(f"`find {folder}` failed: {found.complaint}")
        elif found.out.strip():
            tally.bad.append(f"{found.out.strip()} can be changed by others than root")
        else:
            tally.good.append(f"everything under {folder} is root's")
    return tally.verdict()


@check(
    id="files.tinykit-confined",
    title="tinykit's process can write nowhere, and sees neither data nor secrets",
    area=Area.FILES,
    severity=Severity.HIGH,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand=f"In the unit: ProtectSystem=strict, ProtectHome=yes, NoNewPrivileges=yes, no "
        f"ReadWritePaths=, InaccessiblePaths=-{layout.POCKETBASE_STATE} -{layout.CONFIG_DIR}; then "
        "`systemctl daemon-reload` and a restart. Or run deploys/app.py again."
    ),
)
def tinykit_is_confined(look: Context) -> Verdict:
    """Asks systemd about the unit as it runs, or Docker about the container."""
    if in_containers(look):
        return _containers_are_confined(look.machine)
    names = (*_WANTED, "ReadWritePaths", "InaccessiblePaths")
    said = _properties(look.machine, *names)
    tally = Tally()
    for name, wanted in _WANTED.items():
        fits = said.get(name) == wanted
        (tally.good if fits else tally.bad).append(f"{name}={said.get(name, '')}")
    if said.get("ReadWritePaths"):
        tally.bad.append(f"it may write to {said['ReadWritePaths']}")
    hidden = said.get("InaccessiblePaths", "")
    for path in (layout.POCKETBASE_STATE, layout.CONFIG_DIR):
        shut = path in [each.lstrip("-+") for each in hidden.split()]
        (tally.good if shut else tally.bad).append(f"{path} is {'hidden' if shut else 'in sight'}")
    return tally.verdict()


def _containers_are_confined(host: HostFacts) -> Verdict:
    tally = Tally()
    for name in layout.TINYKIT_CONTAINERS:
        try:
            container = find_container(host, name)
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        tally.bad += [f"{name} may write to {path}" for path in container.writable()]
        tally.bad += container.looseness()
        # The resolvers lie among the settings, and are no secret.
        seen = [path for path in container.sees() if path != layout.DOCKER_RESOLV]
        for path in (layout.POCKETBASE_STATE, layout.CONFIG_DIR):
            shows = [each for each in seen if f"{each}/".startswith(f"{path}/") or each == "/"]
            tally.bad += [f"{name} sees {each}" for each in shows]
            if not shows:
                tally.good.append(f"{name}: {path} is not there")
    return tally.verdict()


@check(
    id="files.upload-folder-private",
    title="Uploads and the database are PocketBase's alone",
    area=Area.FILES,
    severity=Severity.MEDIUM,
    looks_from=Vantage.HOST,
    checklist=_LINE,
    remedy=Remedy(
        by_hand=f"chown -R {layout.POCKETBASE_USER}: {layout.POCKETBASE_DATA} && "
        f"chmod 700 {layout.POCKETBASE_STATE} {layout.POCKETBASE_DATA}"
    ),
)
def data_is_pocketbases(look: Context) -> Verdict:
    """Looks at the owner and the mode of the folders."""
    tally = Tally()
    facts = look.machine.stat(layout.POCKETBASE_DATA)
    if facts is None:
        raise CannotLook(f"there is no {layout.POCKETBASE_DATA}")
    if facts.owner != layout.POCKETBASE_USER:
        tally.bad.append(f"{facts}; want {layout.POCKETBASE_USER}")
    state = look.machine.stat(layout.POCKETBASE_STATE)
    closed = [each for each in (facts, state) if each and not each.mode & 0o077]
    if not closed:
        tally.bad.append(f"{facts}: others may look into it")
    tally.good.append(str(facts))
    return tally.verdict()


def _properties(host: HostFacts, *names: str) -> dict[str, str]:
    unit = layout.TINYKIT_UNIT
    result = host.run("systemctl", "show", unit, "-p", ",".join(("ActiveState", *names)))
    if result.status != 0:
        raise CannotLook(f"`systemctl show {unit}` failed: {result.complaint}")
    said = dict(line.split("=", 1) for line in result.out.splitlines() if "=" in line)
    if said.get("ActiveState") != "active":
        raise CannotLook(f"{unit} is {said.get('ActiveState') or 'unknown to systemd'}")
    return said


@check(
    id="files.no-setup-leftovers",
    title="Nothing of an installation lies about",
    area=Area.FILES,
    severity=Severity.LOW,
    looks_from=Vantage.HOST,
    checklist="Use environment variables for secrets",
    remedy=Remedy(
        by_hand="Remove the files, and change what secrets they held: tinykit reads its "
        f"environment from {layout.TINYKIT_ENVIRONMENT} alone."
    ),
)
def nothing_lies_about(look: Context) -> Verdict:
    """Looks for environment files, git's folders and data beside the release."""
    names = (".env", ".env.*", ".git", "data.db")
    words = [word for name in names for word in ("-o", "-name", name)][1:]
    home = layout.TINYKIT_HOME
    places = (home, "-maxdepth", "5", "-not", "-path", "*/node_modules/*")
    found = look.machine.run("find", *places, "(", *words, ")", "-not", "-name", ".env.example")
    if found.status != 0:
        raise CannotLook(f"`find {home}` failed: {found.complaint}")
    if paths := found.out.split():
        return failed(*paths[:10])
    return passed(f"no environment file, git folder or database under {home}")
