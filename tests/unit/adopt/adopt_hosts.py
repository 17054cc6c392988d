"""Hosts as `look.sh` prints them, one line of its output a fact."""

from __future__ import annotations

import base64
import json

from tinykit_ops.adopt.facts import Facts, read_facts

HOME = "/srv/tinykit"
COMMIT = "617db3416af227451e18de1f84394888679cf766"
CONTAINER = "c" * 64
CADDYFILE = "apps.example.com, build.example.com {\n\treverse_proxy localhost:3000\n}\n"


class HostSeen:
    """Collects what is on a host."""

    def __init__(self, *, user: str = "root", ssh: str = "198.51.100.7 50000 203.0.113.10 22"):
        self.lines: list[str] = []
        self.sockets: list[str] = []
        self.say("user", "name", user)
        self.say("system", "os-release", 'ID=debian\nVERSION_ID="13"\n')
        self.say("system", "ssh", ssh)
        self.process(1, 0, "/usr/lib/systemd/systemd", "systemd")
        self.listen("0.0.0.0:22", "sshd", 50)

    def say(self, kind: str, key: str, text: str) -> None:
        self.lines.append(f"{kind}\t{key}\t{base64.b64encode(text.encode()).decode()}")

    def listen(self, address: str, program: str, pid: int) -> None:
        self.sockets.append(
            f'LISTEN 0 511 {address} 0.0.0.0:* users:(("{program}",pid={pid},fd=3))'
        )

    def process(self, pid: int, parent: int, exe: str, name: str, uid: int = 1000) -> None:
        self.say("process", str(pid), f"{parent}\n{uid}\n{exe}\n{name}\n")

    def program(
        self, pid: int, exe: str, words: str, *, parent: int = 1, cgroup: str = "/", **more: str
    ) -> None:
        """One that is looked at closely."""
        self.process(pid, parent, exe, exe.rpartition("/")[2])
        found = {"exe": exe, "cwd": HOME, "cmdline": words.replace(" ", "\0"), "cgroup": cgroup}
        for kind, text in {
            **found,
            **{key.replace("_", "-"): one for key, one in more.items()},
        }.items():
            self.say(kind, str(pid), text)

    def tinykit(self, pid: int = 200, **more: str) -> None:
        self.program(pid, "/usr/bin/node", "node build/index.js", version="v24.19.0", **more)
        self.say("package", HOME, json.dumps({"name": "tinykit"}))
        self.say("commit", HOME, COMMIT)
        self.say("marker", HOME, "admin_email\nadmin_password\n")
        self.say("marker-email", HOME, "ann@example.com\n")

    def pocketbase(self, pid: int = 100, version: str = "0.23.4", **more: str) -> None:
        database = more.pop("database", f"{HOME}/pocketbase/pb_data/data.db")
        self.program(
            pid,
            f"{HOME}/pocketbase/pocketbase",
            "pocketbase serve",
            version=f"pocketbase version {version}",
            database=database,
            **more,
        )

    def unit(self, name: str, fragment: str = "", pid: int = 0) -> None:
        path = fragment or f"/etc/systemd/system/{name}"
        self.say("unit", name, f"Id={name}\nFragmentPath={path}\nMainPID={pid}\n")

    def facts(self) -> Facts:
        self.say("system", "sockets", "\n".join(self.sockets))
        return read_facts("\n".join(self.lines))


def with_units() -> HostSeen:
    """tinykit and PocketBase as units, and Caddy before them."""
    host = HostSeen()
    for name, pid in (("tinykit", 200), ("pocketbase", 100), ("caddy", 300)):
        host.unit(f"{name}.service", pid=pid)
    host.tinykit(cgroup="0::/system.slice/tinykit.service\n", env="PORT\nLLM_API_KEY\nHOME\n")
    host.pocketbase(cgroup="0::/system.slice/pocketbase.service\n")
    host.program(300, "/usr/bin/caddy", "caddy run", cgroup="0::/system.slice/caddy.service\n")
    host.listen("*:443", "caddy", 300)
    host.listen("0.0.0.0:3000", "node", 200)
    host.listen("127.0.0.1:8091", "pocketbase", 100)
    host.say("proxy", "caddy", CADDYFILE)
    return host


def with_docker(*, volume: bool = True) -> HostSeen:
    """One container that runs both, as tinykit's compose file makes it."""
    host = HostSeen()
    cgroup = f"0::/system.slice/docker-{CONTAINER}.scope\n"
    host.tinykit(cgroup=cgroup, env_plain="PORT=3000\n")
    inside = f"{HOME}/pocketbase/pb_data"
    host.pocketbase(cgroup=cgroup)
    mounts = [{"Destination": inside, "Source": "/var/lib/docker/volumes/tk_data/_data"}]
    about = {
        "name": "/docker-crud-one-1",
        "image": "docker-crud-one",
        "restart": "unless-stopped",
        "mounts": mounts if volume else [],
        "ports": {"3000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
    }
    host.say("container", CONTAINER, json.dumps(about))
    host.listen("0.0.0.0:8080", "docker-proxy", 400)
    return host


def with_shell() -> HostSeen:
    """`npm run dev` in a shell of somebody's: a tree of processes."""
    host = HostSeen()
    host.process(50, 1, "/usr/sbin/sshd", "sshd")
    host.process(60, 50, "/usr/bin/bash", "bash")
    host.program(70, "/usr/bin/node", "npm\0run\0dev", parent=60)
    host.process(75, 70, "/usr/bin/dash", "sh")
    host.tinykit(pid=200, parent=75)
    host.process(80, 70, "/usr/bin/dash", "sh")
    host.pocketbase(parent=80)
    host.listen("0.0.0.0:5173", "node", 200)
    host.listen("127.0.0.1:8091", "pocketbase", 100)
    return host
