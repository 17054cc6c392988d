"""Telling others how a backup, a verification or a prune went: a ping, a webhook, an e-mail.

A hook that fails is a line in the log and never fails a backup. Addresses are secrets: they are
read from files of root, are in no argument of a program, and no error text of a hook is shown,
because libraries put addresses into theirs.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.errors import BackupError
from tinykit_ops.backup.outcome import Outcome

BACKUP, VERIFY, PRUNE, CHECK = "backup", "verify", "prune", "check"  #: jobs
PING_URL = "backup-notify-ping-url"
#: Of jobs that have an address of their own.
OWN_PING_URLS = {
    VERIFY: "backup-notify-verify-ping-url",
    PRUNE: "backup-notify-prune-ping-url",
    CHECK: "checks-ping-url",
}
WEBHOOK_URL = "backup-notify-webhook-url"
SENDMAIL = Path("/usr/sbin/sendmail")
HOOK_SECONDS = 20.0  #: at most, for each hook, whatever its server does
_SUBJECTS = {
    BACKUP: "Backup",
    VERIFY: "Verification of the backups",
    PRUNE: "Pruning of the backups",
    CHECK: "Security check",
}
_ANSWER_SECONDS = (5, 10)  #: to connect, and between two pieces of the answer


@dataclass
class Notifier:
    """The hooks of one run.

    Attributes:
        run: its id, a UUID; healthchecks.io measures by it how long a run took.
        failures: which hooks failed, in words without addresses.
        job: what is done: a backup, a verification, a prune or a look at the checklist.
        main_job: what `ping_url` is for on this host. Other jobs without an address of their own
            only tell it when they fail: their success must not hide that the main job is missing.
    """

    config: AgentConfig
    run: str
    sendmail: Path = SENDMAIL
    failures: list[str] = field(default_factory=list)
    job: str = BACKUP
    main_job: str = BACKUP

    def started(self) -> None:
        """A run begins."""
        self._ping("/start", "")

    def finished(self, outcomes: Sequence[Outcome], error: BaseException | None = None) -> None:
        """A run ended.

        Args:
            error: what stopped all of it, such as another run that holds the lock.
        """
        lines = summary(outcomes, error)
        bad = error is not None or any(outcome.error for outcome in outcomes)
        self._ping("/fail" if bad else "", "\n".join(lines))
        self._webhook(outcomes, lines, "failure" if bad else "success")
        wanted = self.config.settings.backup.notify
        if wanted.email and (bad or wanted.email_on == "always"):
            self._guarded("e-mail", lambda: self._mail(str(wanted.email), lines, bad))

    # Each hook ---------------------------------------------------------------------------------

    def _ping(self, ending: str, body: str) -> None:
        secret = self._ping_secret(ending)
        if secret is None:
            return

        def ping() -> None:
            parts = urlsplit(self.config.secret(secret))
            query = "&".join(one for one in (parts.query, f"rid={self.run}") if one)
            path = parts.path.rstrip("/") + ending
            _post(urlunsplit((parts.scheme, parts.netloc, path, query, "")), data=body.encode())

        self._guarded(f"ping{ending}", ping)

    def _ping_secret(self, ending: str) -> str | None:
        wanted = self.config.settings.backup.notify
        own = {
            VERIFY: wanted.verify_ping_url,
            PRUNE: wanted.prune_ping_url,
            CHECK: self.config.settings.checks.ping_url,
        }.get(self.job)
        if own is not None:
            return OWN_PING_URLS[self.job]
        tells_all = self.job == self.main_job or ending == "/fail"
        return PING_URL if wanted.ping_url is not None and tells_all else None

    def _webhook(self, outcomes: Sequence[Outcome], lines: list[str], event: str) -> None:
        if self.config.settings.backup.notify.webhook_url is None:
            return
        document = {
            "event": event,
            "job": self.job,
            "run": self.run,
            "host": socket.gethostname(),
            "domains": self.config.settings.domains,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "summary": lines,
            "targets": [_as_json(outcome) for outcome in outcomes],
        }
        self._guarded("webhook", lambda: _post(self.config.secret(WEBHOOK_URL), json=document))

    def _mail(self, to: str, lines: Sequence[str], bad: bool) -> None:
        message = EmailMessage()
        domain = self.config.settings.domains[0]
        told = "FAILED" if bad else "succeeded"
        message["To"] = to
        message["Subject"] = f"{_SUBJECTS[self.job]} of {domain} {told}"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("\n".join([*lines, "", f"run {self.run} on {socket.gethostname()}"]))
        subprocess.run(
            [str(self.sendmail), "-t", "-i"],
            input=message.as_bytes(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=HOOK_SECONDS,
            check=True,
        )

    def _guarded(self, name: str, hook: Callable[[], None]) -> None:
        """Do it in a thread of its own, which nobody waits for too long: a server that answers a
        byte now and then would outlast any time-out of a socket."""
        done: list[str] = []

        def do() -> None:
            try:
                hook()
                done.append("")
            except Exception as error:
                done.append(type(error).__name__)

        thread = threading.Thread(target=do, daemon=True, name=f"hook-{name}")
        thread.start()
        thread.join(HOOK_SECONDS + 1)
        if not done:
            self.failures.append(f"the {name} hook did not end within {HOOK_SECONDS:g} seconds")
        elif done[0]:
            self.failures.append(f"the {name} hook failed ({done[0]})")


def summary(outcomes: Sequence[Outcome], error: BaseException | None) -> list[str]:
    """A line a target, and one for what stopped the run; neither holds a secret."""
    lines = [_line(outcome) for outcome in outcomes]
    if error is not None:
        lines.append(str(getattr(error, "what", type(error).__name__)))
    return lines


def _line(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{outcome.target}: FAILED: {outcome.error.what}"
    if outcome.said is not None:
        return f"{outcome.target}: {outcome.said}"
    if outcome.snapshot is None:
        return f"{outcome.target}: not done"
    return f"{outcome.target}: snapshot {outcome.snapshot} in {outcome.seconds:.0f} s"


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.target,
        "ok": outcome.succeeded,
        "snapshot": outcome.snapshot,
        "error": outcome.error.what if outcome.error else None,
        "warnings": outcome.warnings,
        "sent_bytes": outcome.sent_bytes,
        "seconds": round(outcome.seconds, 1),
    }


def _post(url: str, **body: Any) -> None:
    with requests.Session() as session:
        session.trust_env = False
        # Redirects are not followed: the address is a secret, and goes to its own host only.
        with session.post(
            url, timeout=_ANSWER_SECONDS, allow_redirects=False, stream=True, **body
        ) as answer:
            if not 200 <= answer.status_code < 300:
                raise _RefusedError
    # The answer's body is nobody's business.


class _RefusedError(BackupError):
    """The hook's server answered with another code than 2xx."""

    def __init__(self) -> None:
        super().__init__("the hook was refused")
