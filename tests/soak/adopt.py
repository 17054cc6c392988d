"""Installs made by hand, of every kind, are taken over and given back; some runs are killed.

    scripts/soak adopt [--seed N] [--kills N] [--kind units|bare|docker] [--release 13|12]
                       [--app ARCHIVE]

Every kind on every Debian, each on a bare lab host: converted, compared (each project and upload),
given back, compared again. Then --kills runs are killed at random while they convert, and run
again. Exit code 0 only when nothing was lost and somebody served at each end.
--app is a release archive of real tinykit (else the contract app). Needs root.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from by_hand import claim, copy_app, curl_raw, run_as_units, run_bare, run_in_docker
from disaster_drill import Person
from tests_e2e_support import BIN, ROOT, execute

from tinykit_ops.lab.base_image import base_image_path
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.inventory import ADMIN_EMAIL, connection
from tinykit_ops.lab.lab import Lab

VERSIONS = {"units": "0.23.4", "bare": "0.40.6", "docker": "0.23.4"}
LONGEST = 40.0  #: seconds within which a conversion is killed


class Trial:
    """One kind of install on one host."""

    def __init__(self, lab: Lab, kind: str, app: Path, folder: Path) -> None:
        self.lab, self.kind, self.app, self.folder = lab, kind, app, folder
        self.host = lab.hosts[0]
        self.inventory = folder / "adopted.py"
        self.wrong: list[str] = []

    def install(self) -> None:
        """By hand, claimed, with a project and an upload."""
        copy_app(self.host, self.folder, self.app, VERSIONS[self.kind])
        if self.kind == "docker":
            run_in_docker(self.host, base_image_path(self.lab.cache))
        else:
            {"units": run_as_units, "bare": run_bare}[self.kind](self.host)
        password = self.lab.admin_password.read_text().strip()
        claim(f"http://{self.host.address4}:3000", ADMIN_EMAIL, password)

    def sees(self, *, converted: bool) -> dict[str, dict]:
        """Every project and upload, as somebody with an account finds them now."""
        person = self.person(converted=converted)
        return person.projects()

    def person(self, *, converted: bool) -> Person:
        """Who works through the edge of the instance, or on the port of the old install."""
        way = () if converted else (curl_raw,)
        person = Person(self.lab, self.folder, *way)
        person.log_in()
        return person

    def write(self) -> None:
        """The inventory."""
        data = connection(self.host, "root")
        pairs = [f"--data={key}={value}" for key, value in data.items() if key != "ssh_hostname"]
        words = [f"--release={self.app}", f"--domain={self.host.domain}"]
        self._must(execute(self._adopt(*pairs, *words, f"--write={self.inventory}"), seconds=600))

    def convert(self) -> str:
        """Returns what it said."""
        return self._must(execute(self._adopt(*self._by, "--yes", "--accept-losses"), seconds=1800))

    def back(self) -> None:
        self._must(execute(self._adopt(*self._by, "--back", "--yes"), seconds=1800))

    def kill_one(self, seconds: float) -> None:
        """A conversion whose controller dies some seconds after the old install began to stop."""
        words = [*self._adopt(*self._by, "--yes", "--accept-losses")]
        with subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as run:
            assert run.stdout is not None
            for line in run.stdout:
                if line.startswith("stopping the old install"):
                    time.sleep(seconds)
                    break
            run.kill()

    @property
    def _by(self) -> list[str]:
        return [f"--inventory={self.inventory}"]

    def _adopt(self, *words: str) -> list[str]:
        return [str(BIN / "tinykit-ops"), "adopt", self.host.address4, *words]

    def _must(self, run) -> str:  # type: ignore[no-untyped-def]
        if run.code:
            raise RuntimeError(f"exit code {run.code}: {run.text[-3000:]}")
        return run.out


def main() -> int:
    """Exit code 0 when nothing was lost."""
    words = _words()
    rng = random.Random(words.seed)
    print(f"seed {words.seed}", flush=True)
    wrong = []
    for release in [words.release] if words.release else ["13", "12"]:
        for kind in [words.kind] if words.kind else sorted(VERSIONS):
            wrong += [f"{kind} on {release}: {one}" for one in _one(release, kind, words, rng)]
    print("\n".join(f"WRONG {line}" for line in wrong) or "nothing was lost")
    return 1 if wrong else 0


def _one(release: str, kind: str, words: argparse.Namespace, rng: random.Random) -> list[str]:
    lab = Lab.up("soak-adopt", releases=(release,), s3=False, docker=kind == "docker")
    try:
        with tempfile.TemporaryDirectory(prefix="tinykit-soak-adopt-") as name:
            folder = Path(name)
            app = words.app or build_contract_release(folder / "release").archive
            return _campaign(Trial(lab, kind, app, folder), words.kills, rng, release)
    finally:
        lab.down()


def _campaign(trial: Trial, kills: int, rng: random.Random, release: str) -> list[str]:
    trial.install()
    trial.person(converted=False).make_project("first", b"an upload")
    before = trial.sees(converted=False)
    trial.write()
    _round(trial, release, before)
    for number in range(kills):
        seconds = rng.uniform(0, LONGEST)
        trial.kill_one(seconds)
        print(f"{trial.kind} on {release}: kill {number} after {seconds:.1f} s", flush=True)
        _round(trial, release, before)
    return trial.wrong


def _round(trial: Trial, release: str, before: dict[str, dict]) -> None:
    """There and back; each time everything has to be there."""
    away = re.search(r"nobody was served for ([\d.]+)", trial.convert())
    print(f"{trial.kind} on {release}: away {away[1] if away else '?'} s", flush=True)
    if trial.sees(converted=True) != before:
        trial.wrong.append("the instance has other projects")
    trial.person(converted=True).make_project("second")
    trial.back()
    if trial.sees(converted=False) != before:
        trial.wrong.append("the old install has other projects")


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak adopt", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--kind", choices=sorted(VERSIONS))
    parser.add_argument("--release", choices=("13", "12"))
    parser.add_argument("--app", type=Path, help="a release archive (else the contract app)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
