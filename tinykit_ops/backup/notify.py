"""Telling others how a backup, a verification or a prune went: a ping, a webhook, an
e-mail, a push message by ntfy.

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

from tinykit_ops import layout
from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.errors import BackupError
from tinykit_ops.backup.outcome import Outcome

BACKUP, VERIFY, PRUNE, CHECK, WATCH = "backup", "verify", "prune", "check", "watch"  #: jobs
PING_URL = "backup-notify-ping-url"
#: Of jobs that have an address of their own.
OWN_PING_URLS = {
    VERIFY: "backup-notify-verify-ping-url",
    PRUNE: "backup-notify-prune-ping-url",
    CHECK: "checks-ping-url",
    WATCH: "watch-ping-url",
}
WEBHOOK_URL = "backup-notify-webhook-url"
NTFY_URL = "backup-notify-ntfy-url"
NTFY_TOKEN = "backup-notify-ntfy-token"  # noqa: S105
SENDMAIL = Path(layout.SENDMAIL)
HOOK_SECONDS = 20.0  #: at most, for each hook, whatever its server does
_SUBJECTS = {
    BACKUP: "Backup",
    VERIFY: "Verification of the backups",
    PRUNE: "Pruning of the backups",
    CHECK: "Security check",
    WATCH: "Watch",
}
_VERDICTS = {WATCH: ("has good news", "found a problem")}  #: other jobs: see `_subject`
_NTFY_BYTES = 4000
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
        if bad or self.config.settings.backup.notify.email_on == "always":
            self._message("e-mail", lines, bad)
            self._message("ntfy", lines, bad)

    def channels(self) -> list[str]:
        """Which channels for news the settings name, as `tell` calls them; a ping is none."""
        wanted = self.config.settings.backup.notify
        named = {"webhook": wanted.webhook_url, "e-mail": wanted.email, "ntfy": wanted.ntfy_url}
        return [name for name, value in named.items() if value is not None]

    def tell(self, channel: str, outcomes: Sequence[Outcome]) -> bool:
        """Tell one channel, whether the news is good or bad. Returns whether it was reached."""
        before, lines = len(self.failures), summary(outcomes, None)
        bad = any(outcome.error for outcome in outcomes)
        if channel == "webhook":
            self._webhook(outcomes, lines, "failure" if bad else "success")
        else:
            self._message(channel, lines, bad)
        return len(self.failures) == before

    def alive(self) -> None:
        """Call the job's own ping, if it has one."""
        self._ping("", "")

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
            WATCH: self.config.settings.watch.ping_url,
        }.get(self.job)
        if own is not None:
            return OWN_PING_URLS[self.job]
        if self.job == WATCH:
            return None
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

    def _message(self, channel: str, lines: Sequence[str], bad: bool) -> None:
        wanted = self.config.settings.backup.notify
        if channel == "e-mail" and wanted.email:
            self._guarded(channel, lambda: self._mail(str(wanted.email), lines, bad))
        if channel == "ntfy" and wanted.ntfy_url is not None:
            self._guarded(channel, lambda: self._ntfy(lines, bad))

    def _ntfy(self, lines: Sequence[str], bad: bool) -> None:
        headers = {"Title": self._subject(bad), "Priority": "high" if bad else "default"}
        if self.config.settings.backup.notify.ntfy_token is not None:
            headers["Authorization"] = f"Bearer {self.config.secret(NTFY_TOKEN)}"
        # More than 4096 bytes would become an attachment.
        body = "\n".join(lines).encode()[:_NTFY_BYTES].decode(errors="ignore").encode()
        _post(self.config.secret(NTFY_URL), data=body, headers=headers)

    def _subject(self, bad: bool) -> str:
        told = _VERDICTS.get(self.job, ("succeeded", "FAILED"))[bad]
        return f"{_SUBJECTS[self.job]} of {self.config.settings.domains[0]} {told}"

    def _mail(self, to: str, lines: Sequence[str], bad: bool) -> None:
        message = EmailMessage()
        message["To"] = to
        message["Subject"] = self._subject(bad)
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
