"""`/.well-known/security.txt` (RFC 9116)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tinykit_ops.settings import Settings


def security_txt(settings: Settings, today: date | None = None) -> str:
    """The file's text, or nothing when the settings have none.

    The RFC wants an expiry less than a year ahead. It is the first day of a quarter, 6 to 9 months
    from now, so that a deploy renews it four times a year and a second run changes nothing.
    """
    wanted = settings.edge.security_txt
    if wanted is None:
        return ""
    lines = [f"Contact: {contact}" for contact in wanted.contact]
    lines.append(f"Expires: {_expiry(today or datetime.now(UTC).date())}T00:00:00Z")
    if wanted.languages:
        lines.append(f"Preferred-Languages: {', '.join(wanted.languages)}")
    if wanted.policy:
        lines.append(f"Policy: {wanted.policy}")
    names = (*((settings.builder_domain,) if settings.builder_domain else ()), *settings.domains)
    lines += [f"Canonical: https://{name}/.well-known/security.txt" for name in names]
    return "\n".join(lines) + "\n"


def _expiry(today: date) -> date:
    quarter = today.year * 4 + (today.month - 1) // 3 + 3
    return date(quarter // 4, quarter % 4 * 3 + 1, 1)
