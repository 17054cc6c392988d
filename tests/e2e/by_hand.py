"""tinykit on a lab host as a person puts it there, without tinykit-ops."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import requests
from tests_e2e_support import APT, STATUS, curl, execute, until

from tinykit_ops.artifacts import local_binary
from tinykit_ops.lab.host import LabHost

SECONDS = 120
USER = "web"  #: who runs it: a person's user
HOME = "/srv/tinykit"
COMMIT = "617db3416af227451e18de1f84394888679cf766"
KEY = "sk-a-key-that-nobody-shall-see"
#: tinykit calls PocketBase without folders; the build of the package wants them.
WRAPPER = """#!/bin/sh
cd {home}/pocketbase && exec {home}/bin/pocketbase "$@" --dir={home}/pocketbase/pb_data \\
  --migrationsDir={home}/pocketbase/pb_migrations
"""
UNIT = """[Unit]
Description={what}
After=network.target
[Service]
User={user}
WorkingDirectory={home}
{environment}ExecStart={command}
Restart=always
[Install]
WantedBy=multi-user.target
"""
CADDY_UNIT = """[Unit]
Description=Caddy
[Service]
ExecStart={home}/bin/caddy run --config /etc/caddy/Caddyfile --adapter caddyfile
Environment=HOME=/root
Restart=always
[Install]
WantedBy=multi-user.target
"""
CADDYFILE = """{{
\tskip_install_trust
}}
{domain} {{
\ttls internal
\treverse_proxy 127.0.0.1:3000
}}
"""
INSTALL_DOCKER = f"""\
{APT}
apt update && apt -y --no-install-recommends install docker.io iptables >/dev/null
command -v docker >/dev/null || apt -y --no-install-recommends install docker-cli >/dev/null
"""


def copy_app(host: LabHost, folder: Path, app: Path, pocketbase: str, home: str = HOME) -> None:
    """Put programs and app there, in one folder, as `git clone` and a build leave them."""
    (folder / "app" / "bin").mkdir(parents=True)
    subprocess.run(["tar", "--zstd", "-xf", app, "-C", folder / "app"], check=True)
    for name in ("node", "pocketbase", "caddy"):
        binary = local_binary(name, pocketbase if name == "pocketbase" else None)
        (folder / "app" / "bin" / name).write_bytes(binary.read_bytes())
        (folder / "app" / "bin" / name).chmod(0o755)
    wrapper = folder / "app" / "pocketbase" / "pocketbase"
    wrapper.write_text(WRAPPER.format(home=home))
    wrapper.chmod(0o755)
    with subprocess.Popen(["tar", "-c", "-C", folder / "app", "."], stdout=subprocess.PIPE) as tar:
        there = host.ssh_command([f"mkdir -p {home} && tar -x -C {home}"])
        subprocess.run(there, stdin=tar.stdout, check=True)


def wait(url: str) -> None:
    """Until it answers 200."""

    def answers() -> bool:
        try:
            return requests.get(url, timeout=5).status_code == 200
        except requests.RequestException:
            return False

    assert until(answers, SECONDS), f"{url} does not answer"


def wait_by_name(host: LabHost) -> None:
    """Until the proxy has its certificate, and tinykit answers behind it."""
    ask = curl_as_browser(host, "/_pb/api/health", *STATUS)
    assert until(lambda: execute(ask).out == "200", SECONDS), f"nothing answers for {host.domain}"


def curl_raw(host: LabHost, path: str, *words: str) -> list[str]:
    """The words of a curl command that asks tinykit itself, on its port."""
    plain = ["curl", "--silent", "--show-error", "--max-time", "60"]
    name = f"{host.address4}:3000"
    return [*plain, *_from(name), *words, f"http://{name}{path}"]


def curl_as_browser(host: LabHost, path: str, *words: str) -> list[str]:
    """The same by its name over HTTPS, whatever serves there."""
    return curl(host, path, *_from(host.domain), *words)


def _from(name: str) -> tuple[str, str]:
    """tinykit refuses forms without an Origin, and takes every request for HTTPS."""
    return ("--header", f"Origin: https://{name}")


def claim(url: str, email: str, password: str, llm: dict[str, str] | None = None) -> None:
    """What the page /setup does."""
    wanted = {"email": email, "password": password, **({"llm": llm} if llm else {})}
    answer = requests.post(f"{url}/api/setup", json=wanted, timeout=SECONDS)
    answer.raise_for_status()


def run_as_units(host: LabHost) -> None:
    """Two units under the very names that tinykit-ops uses, and Caddy before them."""
    _own(host)
    env = f"Environment=PORT=3000 HOST=0.0.0.0 LLM_PROVIDER=openai LLM_API_KEY={KEY}\n"
    serve = f"{HOME}/pocketbase/pocketbase serve --http=127.0.0.1:8091"
    units = {
        "pocketbase": UNIT.format(
            what="PocketBase", user=USER, home=HOME, environment="", command=serve
        ),
        "tinykit": UNIT.format(
            what="tinykit",
            user=USER,
            home=HOME,
            environment=env,
            command=f"{HOME}/bin/node build/index.js",
        ),
        "caddy": CADDY_UNIT.format(home=HOME),
    }
    for name, text in units.items():
        _write(host, f"/etc/systemd/system/{name}.service", text)
    host.ssh(["mkdir -p /etc/caddy"])
    _write(host, "/etc/caddy/Caddyfile", CADDYFILE.format(domain=host.domain))
    host.ssh(["systemctl daemon-reload && systemctl enable --now pocketbase tinykit caddy"])
    wait(f"http://{host.address4}:3000/_pb/api/health")
    wait_by_name(host)


def run_bare(host: LabHost) -> None:
    """Two programs in the background, as `nohup` leaves them; no proxy."""
    _own(host)
    programs = [
        f"{HOME}/pocketbase/pocketbase serve --http=127.0.0.1:8091",
        f"env PORT=3000 HOST=0.0.0.0 LLM_API_KEY={KEY} {HOME}/bin/node build/index.js",
    ]
    for number, words in enumerate(programs):
        line = f"cd {HOME} && nohup {words} >/tmp/bare-{number}.log 2>&1 </dev/null &"
        host.ssh([f"runuser -u {USER} -- sh -c {shlex.quote(line)}"])
    wait(f"http://{host.address4}:3000/_pb/api/health")


def _own(host: LabHost) -> None:
    host.ssh([f"id -u {USER} >/dev/null 2>&1 || useradd --create-home {USER}"])
    host.ssh([f"mkdir -p {HOME}/.git && echo {COMMIT} >{HOME}/.git/HEAD"])
    host.ssh([f"chown -R {USER}: {HOME}"])


def _write(host: LabHost, path: str, text: str) -> None:
    host.ssh([f"cat >{path}"], input_text=text)


def run_in_docker(host: LabHost, base: Path) -> None:
    """One container that runs both, with the data in a volume; no proxy.

    Args:
        base: a root file system, as there is no registry to pull an image from.
    """
    host.ssh([INSTALL_DOCKER], timeout=900)
    with base.open("rb") as image:
        there = host.ssh_command(["docker import - by-hand"])
        subprocess.run(there, stdin=image, check=True, stdout=subprocess.DEVNULL)
    serve = f"{HOME}/pocketbase/pocketbase serve --http=127.0.0.1:8091"
    both = f"{serve} & exec {HOME}/bin/node build/index.js"
    words = [
        *("docker", "run", "--detach", "--name", "kit", "--restart", "unless-stopped"),
        *("--publish", "3000:3000", "--workdir", HOME, "--volume", f"{HOME}:{HOME}"),
        *("--volume", f"kit_data:{HOME}/pocketbase/pb_data"),
        *("--env", "PORT=3000", "--env", "HOST=0.0.0.0", "--env", f"LLM_API_KEY={KEY}"),
        *("by-hand", "sh", "-c", both),
    ]
    host.ssh(words)
    wait(f"http://{host.address4}:3000/_pb/api/health")
