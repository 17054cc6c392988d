"""Checks in words: the page docs/checks.md, and `tinykit-ops check explain`."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc
from itertools import groupby

from tinykit_ops.checks.model import Check, Vantage

_FROM = {
    Vantage.OUTSIDE: "outside, by HTTP(S)",
    Vantage.OUTSIDER: "outside, from an address on no allowlist and with no account",
    Vantage.ACCOUNT: "outside, with an account",
    Vantage.SUPERUSER: "outside, as PocketBase's superuser",
    Vantage.HOST: "the host",
}
_HEAD = """# The checks

Generated from the checks themselves (`python -m tinykit_ops.checks.reference > docs/checks.md`).

    tinykit-ops check https://apps.example.com                   # from outside
    tinykit-ops check https://apps.example.com --inventory FILE  # from outside and on the host
    tinykit-ops check --host                                     # on the host itself, as root

A check **passes** only when it saw what is right. What it could not see is **unknown**, with the
reason; nothing is ever passed unseen. Exit codes: 0 all passed, 1 findings, 2 something could not
be looked at, 64 wrong usage, 69 the instance does not answer or is not tinykit.

Looking changes nothing: requests are read-only, at most 100 an instance, and say who they are
(`User-Agent: tinykit-ops/VERSION (+check)`). tinykit itself notes the host name of a page request
and its time, as for any visitor: check an instance by a domain that it serves.

**From where.** Whether the builder is closed to *strangers* can only be seen by one. When this
machine is on the instance's allowlist, look from elsewhere with `--from USER@HOST` (any host that
you can log in to by SSH; nothing is installed or run there) or `--from-netns NAME` (a network
namespace of this machine). When it is on none, say `--vantage stranger`. Without any, an open
builder counts as a finding only where the settings (`--inventory`) or the other answers show that
an allowlist cannot be the reason; else it is unknown.

Some lines of configuration below name example addresses (`203.0.113.7`, `2001:db8::/48`): put
your own there.
"""


def explain(check: Check) -> str:
    """Everything that a check says about itself, for a terminal."""
    facts = {
        "id": check.id,
        "right when": check.title,
        "area": check.area.value,
        "severity": check.severity.value,
        "looks from": _FROM[check.looks_from],
        "needs": ", ".join(need.value for need in check.needs) or "nothing else",
        "answers to": check.checklist,
        "how it looks": how(check),
    }
    lines = [f"{name + ':':14}{text}" for name, text in facts.items()]
    for way, text in check.remedy.items():
        lines += ["", f"remedy ({way}):", *(f"  {line}" for line in text.expandtabs(4).split("\n"))]
    return "\n".join(lines)


def how(check: Check) -> str:
    """How a check looks: the docstring of its function, on one line."""
    return " ".join(cleandoc(check.look.__doc__ or "").split())


def page(checks: Iterable[Check]) -> str:
    """The page of all checks, as Markdown."""
    lines = [_HEAD]
    for area, group in groupby(checks, lambda check: check.area):
        lines.append(f"## {area.value.capitalize()}\n")
        for check in group:
            lines += _section(check)
    return "\n".join(lines).rstrip() + "\n"


def _section(check: Check) -> list[str]:
    lines = [
        f"### `{check.id}`\n",
        f"**{check.title}.**\n",
        f"- severity: {check.severity.value}",
        f"- looks from: {_FROM[check.looks_from]}",
        f"- answers to: {check.checklist}",
        f"- how: {how(check)}\n",
    ]
    for way, text in check.remedy.items():
        lines.append(f"Remedy, {way}:\n")
        lines += [f"    {line}".rstrip() for line in text.expandtabs(4).split("\n")]
        lines.append("")
    return lines


if __name__ == "__main__":
    from tinykit_ops.checks.registry import all_checks

    print(page(all_checks()), end="")
