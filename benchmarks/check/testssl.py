"""testssl.sh on one server, and what its findings mean for the questions that both answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.check.errors import BenchmarkError
from benchmarks.check.looking import Ran, run

#: What both are asked, and the check of ours that answers it.
QUESTIONS = {
    "accepted": "https.certificate",
    "strong": "https.certificate-strength",
    "protocols": "https.protocols",
    "hsts": "https.hsts",
}
#: Only the sections that answer them: protocols, the certificate, headers.
_SECTIONS = ["--protocols", "--server-defaults", "--headers"]
_QUIET = ["--quiet", "--color", "0", "--warnings", "off", "--nodns", "min"]
_OLD = ("SSLv2", "SSLv3", "TLS1", "TLS1_1")
_FINE = {"OK", "INFO"}
#: An end within 60 days is MEDIUM to testssl and no finding to us, who wait for what should have
#: been renewed; below 30 days it is HIGH, below which lies all that we call overdue.
_TIMELY = {*_FINE, "MEDIUM"}


def look(host: str, address: str, ca_file: Path, folder: Path) -> tuple[Ran, list[dict[str, Any]]]:
    """Let it look at one server, as somebody would who knows it well.

    Returns: how it ran, and its findings.
    Raises: BenchmarkError when it did not come to its end.
    """
    found = folder / "testssl.json"
    found.unlink(missing_ok=True)
    place = ["--ip", address, "--add-ca", str(ca_file), "--jsonfile", str(found)]
    ran = run(["testssl", *_QUIET, *_SECTIONS, *place, f"https://{host}:443"], folder)
    try:
        findings: list[dict[str, Any]] = json.loads(found.read_text())
    except (OSError, ValueError):
        findings = []
    if not any(finding["id"] == "scanTime" for finding in findings):
        raise BenchmarkError(f"testssl did not come to its end (exit {ran.code})", where=host)
    return ran, findings


def verdicts(findings: Sequence[Mapping[str, Any]]) -> dict[str, bool | None]:
    """What its findings say to each question: all well, not well, or nothing (None)."""
    said = {each["id"]: (str(each["finding"]), str(each["severity"])) for each in findings}
    return {
        "accepted": _accepted(said),
        "strong": _all(said, "cert_signatureAlgorithm", "cert_keySize"),
        "protocols": _none_offered(said),
        "hsts": False if "HSTS" in said else _all(said, "HSTS_time"),
    }


_Said = Mapping[str, tuple[str, str]]


def _accepted(said: _Said) -> bool | None:
    """Would a browser take it, and is it not about to end?

    A chain that testssl passes counts as refused when it calls key or signature weak: browsers do
    not take those either, and so does our check, which asks for what a browser asks for.
    """
    strong = _all(said, "cert_signatureAlgorithm", "cert_keySize")
    wanted = ("cert_chain_of_trust", "cert_trust", "cert_expirationStatus")
    if strong is None or not all(each in said for each in wanted):
        return None
    chain, name, ends = (said[each] for each in wanted)
    return strong and chain[1] in _FINE and name[1] in _FINE and ends[1] in _TIMELY


def _none_offered(said: _Said) -> bool | None:
    if not all(each in said for each in _OLD):
        return None
    return all(said[each][0].startswith("not offered") for each in _OLD)


def _all(said: _Said, *ids: str) -> bool | None:
    if not all(each in said for each in ids):
        return None
    return all(said[each][1] in _FINE for each in ids)
