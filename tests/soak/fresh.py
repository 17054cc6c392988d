"""A raw tinykit on a bare lab host, as its README starts it: is every hole of it found?

    scripts/soak fresh [--app ARCHIVE] [--pocketbase VERSION] [--release 13|12]

Behind nothing, on port 3000 of every address, claimed through /setup. Looked at by anybody, with an
account, as superuser, and on the host; exit code 0 only when all that docs/fresh-tinykit.md lists
is found. --app is a release archive of real tinykit (else the contract app). Needs root.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "integration" / "checks"))

from by_hand import claim, copy_app, wait
from raw_instance import FRESH, KEY, NEWER, PERSON, SOUND, WITH_LOGINS
from tests_e2e_support import BIN, Provisioner, execute

from tinykit_ops import layout
from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab

HOME = layout.TINYKIT_CURRENT  #: where the agent looks, too
#: Besides `FRESH`: what can be seen from another machine only.
ELSEWHERE = {"network.ports-closed", "proxy.fetches-nothing-inside"}
ON_HOST = {
    "secrets.setup-marker",
    "network.loopback-only",
    "network.firewall-drops",
    "monitoring.nightly-check",
}


def main() -> int:
    """Exit code 0 when every hole was found."""
    words = _words()
    lab = Lab.up("soak-fresh", releases=(words.release,), s3=False)
    try:
        with tempfile.TemporaryDirectory(prefix="tinykit-soak-fresh-") as name:
            missed = _campaign(lab, Path(name), words)
    finally:
        lab.down()
    print("\n".join(f"MISSED {one}" for one in missed))
    return 1 if missed else 0


def _campaign(lab: Lab, folder: Path, words: argparse.Namespace) -> list[str]:
    host = lab.hosts[0]
    app = words.app or build_contract_release(folder / "release").archive
    _start(host, folder, app, words.pocketbase)
    url = f"http://{host.address4}:3000"
    missed = _compare("anybody, before it is claimed", look(url), FRESH | ELSEWHERE)
    _claim(url)
    logins = _environment()
    seen = look(url, logins)
    missed += _compare("anybody, once it is claimed", seen, FRESH | ELSEWHERE)
    wanted = WITH_LOGINS | NEWER[words.pocketbase]
    missed += _compare("an account and the superuser", seen, wanted, SOUND)
    missed += _compare("the host", _on_host(lab, host, folder, app), ON_HOST)
    return missed


def _start(host: LabHost, folder: Path, app: Path, pocketbase: str) -> None:
    """Put programs and app there, and start both as a person would."""
    copy_app(host, folder, app, pocketbase, HOME)
    run = f"systemd-run --quiet --working-directory={HOME}"
    host.ssh(
        [f"{run} --unit=raw-pocketbase {HOME}/pocketbase/pocketbase serve --http=127.0.0.1:8091"]
    )
    host.ssh(
        [f"{run} --unit=raw-tinykit -E PORT=3000 -E HOST=0.0.0.0 {HOME}/bin/node build/index.js"]
    )
    wait(f"http://{host.address4}:3000/_pb/api/health")


def _claim(url: str) -> None:
    claim(url, *PERSON, llm={"provider": "openai", "api_key": KEY, "model": "gpt-4o"})
    print("claimed through /api/setup", flush=True)


def _environment() -> dict[str, str]:
    pairs = ((prefix, name) for prefix in (ACCOUNT, SUPERUSER) for name in ("EMAIL", "PASSWORD"))
    return {f"{one}_{name}": PERSON[name == "PASSWORD"] for one, name in pairs}


def look(url: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    """The whole checklist from this machine. Returns outcome by id."""
    words = [*_env(environment or {}), str(BIN / "tinykit-ops"), "check", url]
    return _outcomes(execute([*words, "--format=json", "--vantage=stranger"]).out)


def _env(environment: dict[str, str]) -> list[str]:
    """Passwords of a lab that ends in a minute."""
    return ["env", *(f"{name}={value}" for name, value in environment.items())]


def _on_host(lab: Lab, host: LabHost, folder: Path, app: Path) -> dict[str, str]:
    """What the agent sees; beside it, only packages are installed."""
    (folder / "inventories").mkdir()
    provisioner = Provisioner(lab, app, folder / "inventories")
    inventory = provisioner.inventory({host.name: "root"}, {"backup": {"targets": []}})
    for deploy in ("base.py", "agent.py"):
        done = provisioner.deploy(inventory, deploy=deploy)
        if done.code:
            raise RuntimeError(f"{deploy} failed:\n{done.text[-3000:]}")
    words = ["tinykit-ops", "check", "--host", "--format=json", "--only=host"]
    return _outcomes(host.ssh(words, check=False).stdout)


def _outcomes(said: str) -> dict[str, str]:
    results: Any = json.loads(said)["instances"][0]["results"]
    assert PERSON[1] not in said and KEY not in said, "a secret is in the report"
    return {each["id"]: each["outcome"] for each in results}


def _compare(
    who: str, seen: dict[str, str], wanted: set[str], sound: Iterable[str] = ()
) -> list[str]:
    failing = sorted(check for check, outcome in seen.items() if outcome == "fail")
    counts = {each: list(seen.values()).count(each) for each in ("pass", "fail", "unknown")}
    found = wanted & set(failing)
    print(f"{who}: {len(found)} of {len(wanted)} holes found; all: {counts}", flush=True)
    print(f"  {' '.join(failing)}", flush=True)
    missed = [f"{who}: {check} says {seen.get(check)}" for check in sorted(wanted - found)]
    return missed + [
        f"{who}: {check} says {seen.get(check)}" for check in sound if seen.get(check) != "pass"
    ]


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak fresh", description=__doc__)
    parser.add_argument("--app", type=Path, help="a release archive (else the contract app)")
    parser.add_argument("--pocketbase", default="0.40.6", choices=sorted(NEWER))
    parser.add_argument("--release", choices=("13", "12"), default="13")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
