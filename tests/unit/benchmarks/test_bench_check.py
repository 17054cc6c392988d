"""What the benchmark of checks measures with, and how it reads testssl."""

from __future__ import annotations

import json
import resource
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.check import fleet, looking, testssl
from benchmarks.check.certificates import Authority, Leaf, Signer
from benchmarks.check.errors import BenchmarkError
from benchmarks.check.standin import rendered
from benchmarks.check.tls import Compared
from benchmarks.check.tls_cases import CASES
from benchmarks.samples import Samples

GOOD = {
    "SSLv2": ("OK", "not offered"),
    "SSLv3": ("OK", "not offered"),
    "TLS1": ("INFO", "not offered"),
    "TLS1_1": ("INFO", "not offered"),
    "cert_signatureAlgorithm": ("OK", "SHA256 with RSA"),
    "cert_keySize": ("INFO", "RSA 2048 bits"),
    "cert_trust": ("OK", "Ok via SAN (same w/o SNI)"),
    "cert_chain_of_trust": ("OK", "passed."),
    "cert_expirationStatus": ("OK", "88 >= 60 days"),
    "HSTS_time": ("OK", "365 days (=31536000 seconds) > 15552000 seconds"),
}


def findings(**changes: tuple[str, str]) -> list[dict[str, Any]]:
    """As testssl 3.0.8 wrote them about such servers."""
    rows = {**GOOD, **changes}
    return [{"id": key, "severity": s, "finding": said} for key, (s, said) in rows.items()]


def test_a_clean_bill_of_testssl_answers_every_question_well() -> None:
    assert set(testssl.verdicts(findings()).values()) == {True}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"TLS1": ("LOW", "offered (deprecated)")}, {"protocols"}),
        ({"cert_chain_of_trust": ("CRITICAL", "failed (expired).")}, {"accepted"}),
        ({"cert_trust": ("HIGH", "certificate does not match supplied URI")}, {"accepted"}),
        ({"cert_expirationStatus": ("HIGH", "expires < 30 days (4)")}, {"accepted"}),
        ({"cert_keySize": ("MEDIUM", "RSA 1024 bits")}, {"accepted", "strong"}),
        ({"cert_signatureAlgorithm": ("MEDIUM", "SHA1 with RSA")}, {"accepted", "strong"}),
        ({"HSTS_time": ("MEDIUM", "max-age too short. 1 days")}, {"hsts"}),
        ({"HSTS": ("LOW", "not offered")}, {"hsts"}),
    ],
)
def test_each_finding_of_testssl_counts_for_its_question(
    change: dict[str, tuple[str, str]], wrong: set[str]
) -> None:
    said = testssl.verdicts(findings(**change))
    assert {question for question, well in said.items() if well is False} == wrong


def test_an_end_that_testssl_only_warns_of_is_no_difference() -> None:
    soon = ("MEDIUM", "expires < 60 days (42)")
    assert testssl.verdicts(findings(cert_expirationStatus=soon))["accepted"] is True


def test_what_testssl_did_not_answer_is_no_verdict_and_no_agreement() -> None:
    partial = [row for row in findings() if not row["id"].startswith(("TLS1", "cert_key"))]
    said = testssl.verdicts(partial)
    assert (said["protocols"], said["strong"], said["accepted"]) == (None, None, None)
    assert not Compared("x", dict.fromkeys(testssl.QUESTIONS, True), said).agree


def test_neither_counts_as_agreeing_when_both_saw_nothing() -> None:
    nothing = dict.fromkeys(testssl.QUESTIONS)
    assert not Compared("x", nothing, nothing).agree


def test_a_difference_is_told_with_both_answers() -> None:
    ours = {**dict.fromkeys(testssl.QUESTIONS, True), "hsts": False}
    lines = Compared("no HSTS", ours, dict.fromkeys(testssl.QUESTIONS, True)).differences()
    assert lines == ["no HSTS: hsts is not well to us and well to testssl"]


def test_there_are_twenty_configurations_and_no_two_alike() -> None:
    assert len({case.what for case in CASES}) == 20


def test_a_certificate_has_the_faults_that_it_was_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    weak = Leaf(key=lambda: rsa.generate_private_key(65537, 2048), sha1=True)
    chain, key = authority.issue(weak, "weak.test", with_chain=True)
    leaf, between = x509.load_pem_x509_certificates(chain.read_bytes())
    assert leaf.signature_hash_algorithm and leaf.signature_hash_algorithm.name == "sha1"
    assert leaf.issuer == between.subject
    assert key.stat().st_mode & 0o077 == 0
    alone, _ = authority.issue(Leaf(signer=Signer.ITSELF), "self.test", with_chain=True)
    (own,) = x509.load_pem_x509_certificates(alone.read_bytes())
    assert own.issuer == own.subject
    ssl.create_default_context(cafile=str(authority.ca_file))


def test_memory_and_time_are_those_of_the_program_that_ran(tmp_path: Path) -> None:
    code = "hoard = b'x' * 80_000_000; print('said'); raise SystemExit(3)"
    ran = looking.run([sys.executable, "-c", code], tmp_path)
    assert (ran.code, ran.output) == (3, "said\n")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # a worker may be large
    assert 80_000_000 < ran.peak < max(200_000_000, own + 1)
    assert ran.processor > 0


def test_a_look_that_could_not_be_taken_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="ended with 64") as caught:
        looking.check(["ftp://x.invalid"], tmp_path)
    assert "Cannot check a ftp: address" in caught.value.hint


def _line(name: str, outcome: str = "pass") -> str:
    results = [{"id": "https.hsts", "outcome": outcome}]
    return json.dumps({"instances": [{"target": f"https://{name}", "results": results}]})


def test_all_instances_told_alike_are_a_figure() -> None:
    fleet._refuse_other_verdicts(f"{_line('a')}\n{_line('b')}\n", ["a", "b"])


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([_line("a")], "1 instances were told, and 2 were asked for"),
        ([_line("a"), _line("a")], "2 instances were told"),
        ([_line("a"), _line("b", "unknown")], "2 kinds of verdicts"),
    ],
)
def test_a_run_that_saw_less_is_no_figure(lines: list[str], complaint: str) -> None:
    with pytest.raises(BenchmarkError, match=complaint):
        fleet._refuse_other_verdicts("\n".join(lines), ["a", "b"])


def test_the_stand_in_answers_as_the_imitation_of_a_hardened_instance() -> None:
    answers = rendered({"/setup": (404, "no", {"x-y": "z"})})
    assert answers["/setup"] == (
        b"HTTP/1.1 404 x\r\ncontent-length: 2\r\nconnection: close\r\nx-y: z\r\n\r\nno"
    )


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 10.0), (0.95, 19.0), (0.96, 20.0), (1.0, 20.0), (0.0, 1.0)]
)
def test_a_quantile_is_a_timing_that_was_taken(share: float, value: float) -> None:
    assert Samples.of([float(n) for n in range(20, 0, -1)]).quantile(share) == value
