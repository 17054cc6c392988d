"""Breaks of a host whose instance runs in containers: other compose files, other rules.

Limits of processes and memory are not among them: the lab's kernel lets Docker set none.
"""

from __future__ import annotations

from collections.abc import Callable

from mutation_kinds import Break, Mutation, mutation, shell, text

from tinykit_ops import layout

_TABLE = f"inet {layout.FIREWALL_TABLE}"
_RULES = f"nft -f {layout.FIREWALL_RULES}"
_INSIDE = (
    f"nsenter --net=/proc/$(docker inspect -f '{{{{.State.Pid}}}}' {layout.NET_CONTAINER})/ns/net"
)
#: The network's restart is one of all three; its users are back when they answer.
_RESTART = {
    "net": f"systemctl restart {layout.NET_UNIT}; systemctl start {layout.POCKETBASE_UNIT}"
    f" {layout.TINYKIT_UNIT}",
    "pocketbase": f"systemctl restart {layout.POCKETBASE_UNIT}",
    "tinykit-app": f"systemctl restart {layout.TINYKIT_UNIT}",
}


def service(name: str, change: Callable[[str], str]) -> Break:
    """Another text of a service in its compose file; its container is made anew of it."""

    def changed(said: str) -> str:
        start = said.index(f"\n  {name}:\n") + 1
        end = said.find("\n\n", start)
        end = len(said) if end < 0 else end
        return said[:start] + change(said[start:end]) + said[end:]

    path = layout.DOCKER_NET if name == "net" else layout.DOCKER_COMPOSE
    return text(path, changed, _RESTART[name])


def with_lines(name: str, *lines: str) -> Break:
    """These lines too, which win over what the anchor says."""
    more = "".join(f"    {line}\n" for line in lines)
    return service(name, lambda said: said.replace("    image:", f"{more}    image:", 1))


def mount(source: str, target: str) -> Callable[[str], str]:
    """A folder of the host that is seen inside."""
    line = f"      - {{type: bind, source: {source}, target: {target}, read_only: true}}"
    return lambda said: said.replace("    volumes:\n", f"    volumes:\n{line}\n", 1)


_HARD, _SHUT_IN = "files.units-hardened", "files.tinykit-confined"

CONTAINERS: tuple[Mutation, ...] = tuple(
    mutation(name, finds, breaks, runtime="docker")
    for name, finds, breaks in (
        ("a privileged container", _HARD, with_lines("pocketbase", "privileged: true")),
        (
            "tinykit may write to its root",
            f"{_HARD} {_SHUT_IN}",
            with_lines("tinykit-app", "read_only: false"),
        ),
        ("PocketBase may write to its root", _HARD, with_lines("pocketbase", "read_only: false")),
        (
            "a container of root's",
            _HARD,
            service("net", lambda said: said.replace('"65534:65534"', '"0:0"')),
        ),
        ("capabilities kept", _HARD, with_lines("pocketbase", "cap_drop: []")),
        ("a capability given", _HARD, with_lines("pocketbase", "cap_add: [NET_ADMIN]")),
        ("privileges to gain", _HARD, with_lines("pocketbase", "security_opt: []")),
        (
            "no seccomp",
            f"{_HARD} {_SHUT_IN}",
            with_lines(
                "tinykit-app",
                'security_opt: ["no-new-privileges:true", "seccomp:unconfined"]',
            ),
        ),
        ("the host's processes", _HARD, with_lines("pocketbase", 'pid: "host"')),
        (
            "published on every address",
            f"{_HARD} network.loopback-only",
            service("net", lambda said: said.replace('"127.0.0.1:8091', '"0.0.0.0:8091')),
        ),
        (
            "logs without an end",
            _HARD,
            with_lines("pocketbase", "logging: {driver: json-file}"),
        ),
        (
            "tinykit sees PocketBase's data",
            _SHUT_IN,
            service("tinykit-app", mount(layout.POCKETBASE_STATE, "/srv/data")),
        ),
        (
            "tinykit sees the secrets",
            _SHUT_IN,
            service("tinykit-app", mount(layout.SECRETS_DIR, "/srv/secrets")),
        ),
        (
            "a container commands Docker",
            _HARD,
            service("pocketbase", mount("/run/docker.sock", "/srv/docker.sock")),
        ),
        (
            "egress of containers open",
            "network.egress-contained",
            shell(f"nft flush chain {_TABLE} forward", _RULES),
        ),
        (
            # The rules inside hold without it: what listens there is out of the proxy's reach.
            "no firewall around containers",
            "network.firewall-drops network.egress-contained network.ssh-allowlist "
            "network.nothing-else-open",
            shell(f"nft delete table {_TABLE}", _RULES),
        ),
        (
            "nobody keeps tinykit in, inside",
            "network.egress-contained proxy.fetches-nothing-inside",
            shell(
                f"{_INSIDE} nft delete table {_TABLE}",
                f"systemctl reload {layout.NET_UNIT}",
            ),
        ),
    )
)
