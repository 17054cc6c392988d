"""The preview and the builder's frame: what runs where."""

from __future__ import annotations

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
    failed,
    passed,
)
from tinykit_ops.checks.registry import check
from tinykit_ops.edge.probe import REFUSALS, UNKNOWN_ID, is_page_shell, leads_to_a_door

_SANDBOX = (
    "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads "
    "allow-same-origin; frame-ancestors 'self'"
)


@check(
    id="preview.sandboxed",
    title="A preview that is opened by itself runs in a sandbox",
    area=Area.PREVIEW,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDE,
    checklist="Built-in: sandboxed preview",
    remedy=Remedy(
        caddy=f'header /tinykit/preview/* >Content-Security-Policy "{_SANDBOX}"\n'
        "header /tinykit/preview/* >X-Content-Type-Options nosniff",
        nginx="location ^~ /tinykit/preview/ {\n"
        f'    add_header Content-Security-Policy "{_SANDBOX}" always;\n'
        "    add_header X-Content-Type-Options nosniff always;\n"
        "    proxy_pass http://127.0.0.1:3000;\n}",
        by_hand="Let the proxy send a Content-Security-Policy with `sandbox` and `frame-ancestors` "
        "for /tinykit/preview/. tinykit's own iframes carry allow-same-origin, so the builder's "
        "origin is all that separates a preview from a session: give the builder a domain of its "
        "own (`builder_domain`).",
    ),
)
def preview_is_sandboxed(look: Context) -> Verdict:
    """Asks for the preview of a project that does not exist, and reads the headers."""
    answer = _inside(look, f"/tinykit/preview/{UNKNOWN_ID}")
    policy = answer.headers.get("content-security-policy", "")
    tally = Tally()
    for word in ("sandbox", "frame-ancestors"):
        (tally.good if word in policy else tally.bad).append(
            f"{answer}, Content-Security-Policy {'has' if word in policy else 'lacks'} {word}"
        )
    sniffs = answer.headers.get("x-content-type-options", "").lower() != "nosniff"
    (tally.bad if sniffs else tally.good).append(f"nosniff is {'not ' if sniffs else ''}set")
    return tally.verdict()


@check(
    id="builder.not-framed",
    title="Other sites cannot show the builder in a frame",
    area=Area.BUILDER,
    severity=Severity.MEDIUM,
    looks_from=Vantage.OUTSIDE,
    checklist="Protect the builder",
    remedy=Remedy(
        caddy="header /tinykit* >X-Frame-Options SAMEORIGIN",
        nginx="add_header X-Frame-Options SAMEORIGIN always;",
        by_hand="Let the proxy send X-Frame-Options: SAMEORIGIN with the builder's pages, or a "
        "Content-Security-Policy with frame-ancestors 'self': a page that frames the builder can "
        "make a person click in it.",
    ),
)
def builder_is_not_framed(look: Context) -> Verdict:
    """Asks for the builder's page, and reads the headers."""
    answer = _inside(look, "/tinykit")
    if not is_page_shell(answer):
        raise CannotLook(f"{answer}, which is not the builder's page")
    option = answer.headers.get("x-frame-options", "").upper()
    policy = answer.headers.get("content-security-policy", "")
    if option in {"SAMEORIGIN", "DENY"} or "frame-ancestors" in policy:
        return passed(f"{answer}, X-Frame-Options {option or 'not needed'}")
    return failed(f"{answer}, and nothing in its headers forbids frames")


def _inside(look: Context, path: str) -> Answer:
    """What somebody gets who passes the builder's gate. Raises CannotLook for anybody else."""
    bearer = {}
    if look.account and not look.account.is_local:
        bearer = {"authorization": f"Bearer {look.account.login().token}"}
    answer = look.get(look.at_builder(look.web), path, **bearer)
    refused = answer.status in REFUSALS and "Project not found" not in answer.text
    if refused or leads_to_a_door(answer) or answer.status in {429, 500, 502, 503, 504}:
        raise CannotLook(
            f"{answer}: what is behind the gate can only be seen by somebody who passes it; look "
            "from an address on the allowlist, or with an account"
        )
    return answer
