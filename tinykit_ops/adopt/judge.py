"""What the facts of a host mean: which programs are the install, and what stands in the way."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from tinykit_ops import layout
from tinykit_ops.adopt import edges, pieces
from tinykit_ops.adopt.facts import Facts, Process
from tinykit_ops.adopt.model import Answers, Install
from tinykit_ops.adopt.obstacles import obstacles, place

_LLM = {"LLM_PROVIDER": "provider", "LLM_MODEL": "model", "LLM_BASE_URL": "base_url"}
_NO_SECRET = {"PORT", "HOST", "ORIGIN", "POCKETBASE_URL", "BODY_SIZE_LIMIT", "PROTOCOL_HEADER"}


def judge(facts: Facts, answers: Answers | None = None) -> Install:
    """The install on a host, with everything that could not be told as a question."""
    answers = answers or Answers()
    system = _system(facts)
    if facts.text("user", "name") != "root":
        return Install(system=system, layout="none", blockers=(_not_root(facts),))
    server, database = tinykit_of(facts), pocketbase_of(facts)
    found = pieces.pieces(facts, server, database)
    edge = edges.edge_of(facts, server)
    questions, blockers, notes = [*edge.questions], [*edge.blockers], [*edge.notes]
    data, why = _data(facts, database, answers)
    if server is None and database is None:
        return Install(system=system, layout="none", blockers=(_nothing(facts),))
    blockers += [*obstacles(facts, server, database, data), *why]
    blockers += pieces.blockers(facts, found.roots)
    email = answers.email or (facts.text("marker-email", server.cwd) if server else "")
    domains = answers.domains or edge.domains
    if not domains:
        questions.append("which domains it answers for: --domain NAME (may be repeated)")
    if not email:
        questions.append("whose account is the first one: --email ADDRESS")
    commit = facts.text("commit", server.cwd) if server else ""
    if not answers.release:
        questions.append(_which_release(commit))
    environment, llm = _environment(facts, server)
    return Install(
        system=system,
        layout=found.layout,
        pieces=(*edge.pieces, *found.pieces),
        pid=server.pid if server else 0,
        app=server.cwd if server else "",
        commit=commit,
        node=server.version if server else "",
        url=_url(facts, server),
        pocketbase=database.version if database else "",
        pocketbase_url=_pocketbase_url(facts, server, database),
        data=data,
        data_kb=int(facts.text("size", str(database.pid)) or 0) if database else 0,
        marker=f"{data}/.setup_complete" if data else "",
        marker_keys=tuple(facts.lines("marker", server.cwd)) if server else (),
        email=email,
        domains=domains,
        proxy=edge.kind,
        environment=environment,
        llm=llm,
        ssh_port=edge.ssh_port,
        caller=facts.text("system", "ssh").partition(" ")[0],
        cron=tuple(place(line) for line in facts.lines("cron", "lines")),
        questions=tuple(questions),
        blockers=tuple(blockers),
        losses=tuple(edge.losses),
        notes=(*notes, *_left_behind(facts)),
    )


def tinykit_of(facts: Facts) -> Process | None:
    """tinykit's server: a Node.js in a folder of tinykit's, best the one that listens."""
    found = [one for one in facts.processes.values() if _is_tinykit(facts, one)]
    found.sort(key=lambda one: (not one.listens, -one.pid))
    return found[0] if found else None


def _is_tinykit(facts: Facts, process: Process) -> bool:
    if process.program not in {"node", "nodejs", "bun", "deno"}:
        return False
    try:
        name = str(json.loads(facts.text("package", process.cwd) or "{}").get("name", ""))
    except (ValueError, AttributeError):
        name = ""
    return name.startswith("tinykit")


def pocketbase_of(facts: Facts) -> Process | None:
    """The server that has a database of PocketBase's open."""
    found = [one for one in facts.processes.values() if one.database and one.version]
    return min(found, key=lambda one: one.pid, default=None)


def _system(facts: Facts) -> str:
    release = dict(
        line.split("=", 1) for line in facts.lines("system", "os-release") if "=" in line
    )
    return f"{release.get('ID', '?')} {release.get('VERSION_ID', '')}".replace('"', "").strip()


def _not_root(facts: Facts) -> str:
    return (
        f"the login is {facts.text('user', 'name') or 'nobody'}: log in as root, "
        "or as somebody who may use sudo, with --data _sudo=True"
    )


def _nothing(facts: Facts) -> str:
    if facts.text("system", "ours"):
        return "this host is an instance of tinykit-ops already"
    return "no tinykit and no PocketBase runs here: start it, so that it can be looked at"


def _data(facts: Facts, database: Process | None, answers: Answers) -> tuple[str, list[str]]:
    """The data folder on the host, and why it is not known."""
    if answers.data or database is None:
        return answers.data, []
    folder = str(PurePosixPath(database.database).parent)
    if not database.container:
        return folder, []
    mounts = facts.containers().get(database.container, {}).get("mounts") or []
    for mount in sorted(mounts, key=lambda one: -len(one["Destination"])):
        if PurePosixPath(folder).is_relative_to(mount["Destination"]):
            rest = PurePosixPath(folder).relative_to(mount["Destination"])
            return str(PurePosixPath(mount["Source"]) / rest), []
    return "", [
        f"PocketBase's data ({folder}) is in no volume, but inside the container, which a "
        "conversion stops: copy it out with `docker cp`, and start it with a volume"
    ]


def _which_release(commit: str) -> str:
    if re.fullmatch(r"[0-9a-f]{40}", commit):
        return (
            f"the release archive to run: --release ARCHIVE; it runs commit {commit}, which "
            f"`tinykit-ops release build --git REPOSITORY --commit {commit}` builds"
        )
    return (
        "which tinykit it is (its folder has no .git): --release ARCHIVE, made by "
        "`tinykit-ops release build`"
    )


def _url(facts: Facts, server: Process | None) -> str:
    port = next(iter(sorted(edges.ports_of(facts, server))), "") if server else ""
    return f"http://127.0.0.1:{port}" if port else ""


def _pocketbase_url(facts: Facts, server: Process | None, database: Process | None) -> str:
    if database is None:
        return ""
    if database.container:  # its loopback is not the host's; tinykit passes everything on
        url = _url(facts, server)
        return f"{url}/_pb" if url else ""
    ports = [address.rpartition(":")[2] for address in database.listens]
    return f"http://127.0.0.1:{ports[0]}" if ports else layout.POCKETBASE_URL


def _environment(facts: Facts, server: Process | None) -> tuple[tuple[str, ...], dict[str, str]]:
    """Names of what tinykit was given, and the settings of its model that are no secret."""
    if server is None:
        return (), {}
    names = {*server.names, *facts.lines("dotenv", server.cwd)}
    wanted = {name for name in names if re.match(r"LLM_|POCKETBASE_", name)} | names & _NO_SECRET
    dotenv = (line.split("=", 1) for line in facts.lines("dotenv-plain", server.cwd))
    plain = {**{name: value.strip("\"' ") for name, value in dotenv}, **server.plain}
    llm = {key: plain[name] for name, key in _LLM.items() if plain.get(name)}
    return tuple(sorted(wanted)), llm


def _left_behind(facts: Facts) -> list[str]:
    """What stays where it is."""
    cron = [line for line in facts.lines("cron", "lines") if "@reboot" not in line]
    notes = [
        f"{path} stays where it is: an instance loads hooks of tinykit-ops only"
        for path in facts.table.get("extra", {})
    ]
    if cron:
        notes.append(f"cron goes on with {len(cron)} line(s) that name it: look at them")
    return notes
