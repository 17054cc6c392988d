"""Installs made by hand, of every kind, are taken over and given back; some runs are killed.

    scripts/soak adopt [--seed N] [--kills N] [--kind units|bare|docker] [--release 13|12]
                       [--app ARCHIVE] [--no-wait]

Every kind on every Debian, each on a bare lab host: converted, compared (each project and upload),
given back, compared again. Then the controller dies --kills times at random while it converts, and
the command is run again; the host loses its power as often, and has to go back by itself. In the
end the controller dies and nobody comes: the host has to go back by itself within its quarter of
an hour (not with --no-wait). Exit code 0 only when nothing was lost and somebody served each time.
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
from typing import Any

from by_hand import claim, copy_app, curl_raw, run_as_units, run_bare, run_in_docker
from disaster_drill import Person
from tests_e2e_support import BIN, ROOT, execute

from tinykit_ops.adopt.deadline import LONGEST_SECONDS
from tinykit_ops.errors import Exit, TinykitOpsError
from tinykit_ops.lab.base_image import base_image_path
from tinykit_ops.lab.contract import build_contract_release
from tinykit_ops.lab.inventory import ADMIN_EMAIL, connection
from tinykit_ops.lab.lab import Lab

VERSIONS = {"units": "0.23.4", "bare": "0.40.6", "docker": "0.23.4"}
BOOT_SECONDS = 180.0  #: within which a host without a controller serves after a boot
#: Until then nothing may be noted yet, and programs of a shell are gone with the power, as ever.
EARLIEST = 10.0
BUSY_SECONDS = 300.0  #: after which nobody may hold the host any more
Projects = dict[str, dict[str, Any]]


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

    def sees(self, *, converted: bool) -> Projects:
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
        words = self._adopt(*self._by, "--yes", "--accept-losses")
        until = time.monotonic() + BUSY_SECONDS
        while (run := execute(words, seconds=1800)).code == Exit.TRY_AGAIN:
            if time.monotonic() > until:
                break
            time.sleep(5)  # the deploy of a controller that was killed is still at work
        return self._must(run)

    def back(self) -> None:
        self._must(execute(self._adopt(*self._by, "--back", "--yes"), seconds=1800))

    def break_off(self, seconds: float, *, power: bool = False) -> None:
        """A conversion whose controller dies some seconds after the old install began to stop.

        Args:
            power: the host loses its power, too, and nobody at the controller tries again.
        """
        words = self._adopt(*self._by, "--yes", "--accept-losses")
        with subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as run:
            assert run.stdout is not None
            for line in run.stdout:
                if line.startswith("stopping the old install"):
                    time.sleep(seconds)
                    break
            if power:
                self.host.kill()
            run.kill()

    def goes_back(self, seconds: float, before: Projects) -> None:
        """Without anybody, and with everything."""
        began = time.monotonic()
        while True:
            try:
                seen = self.sees(converted=False)
                break
            except (AssertionError, OSError, TinykitOpsError, ValueError, LookupError):
                if time.monotonic() - began > seconds:
                    self.wrong.append(f"nobody served after {seconds:.0f} s")
                    return
                time.sleep(5)
        took = time.monotonic() - began
        print(f"{self.kind}: went back by itself within {took:.0f} s", flush=True)
        if seen != before:
            self.wrong.append("the install that came back by itself has other projects")

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
            return _campaign(
                Trial(lab, kind, app, folder), words.kills, rng, release, wait=words.wait
            )
    finally:
        lab.down()


def _campaign(
    trial: Trial, kills: int, rng: random.Random, release: str, *, wait: bool
) -> list[str]:
    trial.install()
    trial.person(converted=False).make_project("first", b"an upload")
    before = trial.sees(converted=False)
    trial.write()
    away = _round(trial, release, before)
    for number in range(kills):
        for what in ("controller", "host"):
            seconds = rng.uniform(EARLIEST if what == "host" else 0, 0.9 * away)
            trial.break_off(seconds, power=what == "host")
            told = f"the {what} dies {seconds:.1f} s after the old install began to stop"
            print(f"{trial.kind} on {release}: {number}: {told}", flush=True)
            if what == "host":
                trial.host.boot()
                trial.goes_back(BOOT_SECONDS, before)
            _round(trial, release, before)
    if wait:
        trial.break_off(rng.uniform(0, 0.9 * away))
        trial.goes_back(LONGEST_SECONDS + BOOT_SECONDS, before)
    return trial.wrong


def _round(trial: Trial, release: str, before: Projects) -> float:
    """There and back; each time everything has to be there. Returns how long nobody served."""
    found = re.search(r"nobody was served for ([\d.]+)", trial.convert())
    away = float(found[1]) if found else 0.0
    print(f"{trial.kind} on {release}: away {away:.1f} s", flush=True)
    if trial.sees(converted=True) != before:
        trial.wrong.append("the instance has other projects")
    trial.person(converted=True).make_project("second")
    trial.back()
    if trial.sees(converted=False) != before:
        trial.wrong.append("the old install has other projects")
    return away


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak adopt", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--kind", choices=sorted(VERSIONS))
    parser.add_argument("--release", choices=("13", "12"))
    parser.add_argument("--app", type=Path, help="a release archive (else the contract app)")
    parser.add_argument(
        "--no-wait", dest="wait", action="store_false", help="no quarter of an hour"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
