"""The matrix: every case, proof, client and address family, asked of a configured edge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from edge_bench import BASIC_COOKIE, Bench, Proof
from edge_cases import POCKETBASE, Case, cases
from edge_oracle import CHALLENGE, Expected, expected
from edge_vantage import MARK, Answer, Arrival, Ask, Vantage, request

from tinykit_ops.edge.routes import ROUTES, classify

JUDGED = "/api/tinykit-ops/"
#: Whoever asks claims to be somebody else, in every way that servers have believed.
LIES = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto")
#: Proofs that matter where there is no gate.
UNGATED = ("nothing", "superuser", "basic header")
#: Of these 1000 a minute may be asked: fewer proofs, and again after a pause when it was too much.
PROOFS_OF_SLOW = (
    "nothing",
    "bearer",
    "account cookie",
    "basic header",
    "both cookies",
    "swapped cookies",
)


@dataclass(frozen=True)
class Asked:
    """One request of the matrix, with what has to come of it."""

    case: Case
    role: str
    name: str
    proof: Proof
    vantage: Vantage
    allowed: bool
    address: str
    number: int
    expected: Expected

    def __str__(self) -> str:
        family = "v6" if ":" in self.address else "v4"
        who = "allowed" if self.allowed else "outside"
        asks = f"{self.case.method} {self.case.path}"
        return f"{asks} [{self.role} site, {who}, {family}, {self.proof.name}]"


@dataclass
class Tally:
    """What a campaign has seen."""

    configurations: int = 0
    requests: int = 0
    passed: int = 0
    refused: int = 0
    tricks: int = 0
    retried: int = 0
    wrong: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    trick_statuses: Counter[int] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.configurations} configurations, {self.requests} requests of the matrix "
            f"({self.passed} passed on, {self.refused} answered by the edge), "
            f"{self.tricks} path tricks, {self.retried} asked again after 429, "
            f"{len(self.wrong)} wrong"
        )


def uncovered() -> list[str]:
    """Names of routes of the table that no case of the matrix asks for."""
    seen = {route.name for case in cases() if (route := classify(case.method, case.path))}
    return [route.name for route in ROUTES if route.name not in seen]


def questions(bench: Bench, sample: random.Random | None = None) -> Iterator[Asked]:
    """Every request for the present configuration.

    With `sample`, every pair of case and proof once, client and address family in turn, so that
    every case meets each of these as well.
    """
    assert bench.config is not None
    places = [
        (vantage, allowed, address)
        for vantage, allowed in bench.vantages
        for address in bench.addresses
    ]
    for role, name in bench.sites:
        for row, case in enumerate(cases()):
            for column, proof in enumerate(_proofs_for(bench, case)):
                chosen = places
                if sample is not None:
                    chosen = [places[(row + column + sample.randrange(2)) % len(places)]]
                for vantage, allowed, address in chosen:
                    want = expected(case, role, bench.config, proof.caller(allowed))
                    number = next(bench.numbers)
                    yield Asked(case, role, name, proof, vantage, allowed, address, number, want)


def run_matrix(bench: Bench, tally: Tally, sample: random.Random | None = None) -> None:
    """Ask everything of the present configuration; what is wrong goes to the tally."""
    asked = list(questions(bench, sample))
    for vantage, _ in bench.vantages:
        mine = [one for one in asked if one.vantage is vantage]
        answers, arrivals = bench.ask(vantage, [_ask(bench, one) for one in mine])
        for one in mine:
            _weigh(bench, tally, one, answers[one.number], arrivals.get(one.number, []))
    if bench.witness.lost:
        tally.wrong.append(f"{bench.config}: the witness lost {bench.witness.lost} packets")


def _proofs_for(bench: Bench, case: Case) -> Sequence[Proof]:
    if case.slow:
        return [proof for proof in bench.proofs if proof.name in PROOFS_OF_SLOW]
    if case.kind in {"builder", "admin"} or (bench.config and bench.config.own_builder):
        return bench.proofs
    return [proof for proof in bench.proofs if proof.name in UNGATED]


def _ask(bench: Bench, one: Asked) -> Ask:
    other = bench.stranger if one.allowed else bench.allowed
    liar = bench.own_address(other, one.address)
    claims = {
        "Forwarded": f"for={liar}",
        "X-Forwarded-Host": "evil.test",
        "X-Forwarded-Proto": "http",
    }
    headers = [(name, claims.get(name, liar)) for name in LIES]
    headers += one.proof.headers
    body = ""
    if one.case.method in {"POST", "PUT", "PATCH"}:
        body = "{}"
        headers.append(("Content-Type", "application/json"))
    if one.case.writes:
        headers.append(("Origin", f"https://{one.name}"))
    raw = request(one.case.method, one.case.path, one.name, one.number, headers, body)
    return Ask(one.number, one.address, one.name, raw, one.case.method)


def _weigh(bench: Bench, tally: Tally, one: Asked, answer: Answer, arrived: list[Arrival]) -> None:
    tally.requests += 1
    tally.statuses[answer.status] += 1
    behind = [arrival for arrival in arrived if not is_question(arrival)]
    if behind:
        tally.passed += 1
    else:
        tally.refused += 1
    faults = list(_faults(bench, one, answer, behind))
    tally.wrong += [f"{bench.config}: {one}: {fault}" for fault in faults]


def is_question(arrival: Arrival) -> bool:
    """Is this the edge that asks our own hook? It brings the secret, which no client has."""
    asks = arrival.port == POCKETBASE and arrival.target.startswith(JUDGED)
    return asks and [len(value) > 8 for value in arrival.values("x-tinykit-ops-token")] == [True]


def _faults(bench: Bench, one: Asked, answer: Answer, behind: list[Arrival]) -> Iterator[str]:
    want, case = one.expected, one.case
    if answer.status == 0:
        yield f"no answer: {answer.error}"
        return
    if want.passes:
        if [(a.port, a.method, a.target) for a in behind] != [
            (case.port, case.method, case.target)
        ]:
            seen = [
                f"{a.method} {a.target} at {a.port}" for a in behind
            ] or f"{answer.status} by the edge"
            yield f"should arrive as {case.target} at {case.port}, but: {seen}"
        else:
            yield from _faults_of_passed(bench, one, behind[0])
    else:
        if behind:
            yield f"must not pass, and arrived as {[(a.port, a.target) for a in behind]}"
        if answer.status not in want.statuses:
            yield f"status {answer.status}, not {sorted(want.statuses)}"
        if want.says not in answer.text and case.method != "HEAD":
            yield f"says {answer.text[:80]!r}, not {want.says!r}"
        if want.location and answer.headers.get("location") != want.location:
            yield f"leads to {answer.headers.get('location')}, not {want.location}"
    yield from _faults_of_headers(want, answer)


def _faults_of_headers(want: Expected, answer: Answer) -> Iterator[str]:
    headers = answer.headers
    asks = headers.get("www-authenticate")
    if asks != (CHALLENGE if want.challenge else None):
        yield f"WWW-Authenticate is {asks!r}"
    gives = f"{BASIC_COOKIE}=" in headers.get("set-cookie", "")
    if want.cookie is not None and gives != want.cookie:
        yield f"{'gives' if gives else 'does not give'} the cookie of the basic proof"
    if gives and not all(
        word in headers["set-cookie"]
        for word in ("; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax")
    ):
        yield "the cookie of the basic proof lacks an attribute"
    if headers.get("x-content-type-options", "").lower() != "nosniff":
        yield f"X-Content-Type-Options is {headers.get('x-content-type-options')!r}"
    if "referrer-policy" not in headers:
        yield "no Referrer-Policy"
    for name in ("server", "x-powered-by"):
        if name in headers:
            yield f"{name}: {headers[name]}"


def _faults_of_passed(bench: Bench, one: Asked, arrival: Arrival) -> Iterator[str]:
    client = bench.own_address(one.vantage, one.address)
    for name, value in {
        "x-forwarded-for": client,
        "x-real-ip": client,
        "x-forwarded-proto": "https",
        "x-forwarded-host": one.name,
    }.items():
        if arrival.values(name) != [value]:
            yield f"{name} arrives as {arrival.values(name)}, not {value}"
    for name in ("forwarded", "x-tinykit-ops-token"):
        if arrival.values(name):
            yield f"{name} arrives: {'…' if 'token' in name else arrival.values(name)}"
    sent = [value for name, value in one.proof.headers if name == "Authorization"]
    passed_on = [value for value in sent if not value.startswith("Basic ")]
    if arrival.values("authorization") != passed_on:
        yield f"Authorization ({one.proof.name}) does not arrive as it should"
    if arrival.values("host") != [one.name]:
        yield f"Host arrives as {arrival.values('host')}"
    if arrival.values(MARK) != [str(one.number)]:
        yield "the request's own mark is changed"
    drops = one.role == "builder" and one.case.writes
    if one.case.writes and bool(arrival.values("origin")) == drops:
        yield f"Origin arrives as {arrival.values('origin')}"
    if arrival.odd:
        yield "arrives with a length that can be read in two ways"
