"""Reports to render: every outcome, everything that a report may hold, and hostile text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from tinykit_ops.checks.model import Outcome, Verdict, Waiver, failed, passed, unknown
from tinykit_ops.checks.registry import all_checks, check_named
from tinykit_ops.checks.runner import InstanceReport, Report, Result

#: What a hostile server or host could send, to steer a terminal or a browser, or to forge a line.
HOSTILE = [
    "\x1b[2J\x1b[31mall passed\x1b[0m",
    "\x1b]8;;https://evil.test\x07link\x1b]8;;\x07",
    "\x9b31mC1 escape",
    "one\r\nFORGED: all passed",
    "tab\there, null\0, bell\a, backspace\b\b\b",
    "\u202eright to left\u202c, \u2066isolate\u2069, \ufeffmark, \u200bzero width",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x=\'',
    "</style></details></pre></code></main><h1>All passed</h1>",
    "{{ 7 * 7 }} {% for x in y %} ${7*7}",
    "]]> <!-- --> <![CDATA[ &amp; &lt; &#x3c;",
    "`code` ``two`` ``` three",
    "`",
    "[link](javascript:alert(1)) ![img](https://evil.test/x.png) <https://evil.test>",
    "https://evil.test www.evil.test @everyone #1 | a | b |",
    "# heading",
    "- [x] done",
    "> quote\n\n---",
    "*bold* _it_ ~~gone~~ \\ \\`",
    ' leading" and } trailing\\ ',
    'x"} 1\ntinykit_check_results{outcome="pass"} 99',
    "\ud800 lone surrogate \uffff no character",
    "[bold]rich markup[/bold] [link=https://evil.test]x[/link]",
    "::error::workflow command %0A ##vso[task.complete]",
    "=HYPERLINK(1)",
    "x" * 5000,
]
STARTED = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
WAIVER = Waiver("The customer's own proxy ends TLS; ticket 4711", date(2027, 1, 31))


def hostile() -> Report:
    """Hostile text wherever text from outside may stand."""
    checks = all_checks()
    results = [Result(checks[0], failed(*HOSTILE)), Result(checks[1], unknown(*HOSTILE))]
    results += [Result(checks[2], passed(*HOSTILE)), waived(checks[3].id, "\x1b<b>`x`")]
    instance = InstanceReport(
        "https://a.test/<script>\x1b[31m\"'`",
        tuple(results),
        STARTED,
        remarks=tuple(HOSTILE),
        version='9"\x1b<i>`|',
        fixed=(Result(checks[4], passed(*HOSTILE)),),
    )
    return Report((instance,), baseline="last<script>`.json")


def waived(check_id: str, reason: str = WAIVER.reason) -> Result:
    """A finding that was accepted."""
    verdict = Verdict(Outcome.WAIVED, ("GET / answered 200",))
    return Result(check_named(check_id), verdict, 0.01, "", Waiver(reason, WAIVER.until))


def real() -> Report:
    """Two instances, as people see them."""
    return Report((_raw(), all_passed()))


def all_passed(target: str = "https://build.example.org") -> InstanceReport:
    """An instance without a fault."""
    results = tuple(Result(each, passed("seen, and right"), 0.02) for each in all_checks())
    return InstanceReport(target, results, STARTED, 1.4, 61)


def _raw() -> InstanceReport:
    said = {
        "builder.gated": failed(
            "GET /tinykit answered 200 with the builder's page", "GET /api/projects answered 200"
        ),
        "https.redirect": failed("GET http://apps.example.com/ answered 200"),
        "proxy.dashboard-gated": failed("GET /_pb/_/ answered 200"),
        "backups.fresh": unknown("needs to look on the host: give --inventory"),
        "backups.verified": unknown("needs to look on the host: give --inventory"),
    }
    results = [
        Result(each, said.get(each.id, passed("GET /setup answered 404", "seen, and right")), 0.02)
        for each in all_checks()
    ]
    accepted = "https.hsts"
    results = [waived(accepted) if each.check.id == accepted else each for each in results]
    return InstanceReport(
        "https://apps.example.com",
        tuple(results),
        STARTED,
        2.7,
        58,
        ("The certificate ends in 12 days",),
    )


def differences() -> Report:
    """What is new and what is fixed."""
    before = _raw()
    new, fixed = before.having(Outcome.FAIL)[:2], all_passed().results[:2]
    return Report((replace(before, results=tuple(new), fixed=fixed),), baseline="last.json")
