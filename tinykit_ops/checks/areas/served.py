"""Secrets and files: what the web server hands out to anybody who asks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tinykit_ops.checks.answer import Answer
from tinykit_ops.checks.context import Context
from tinykit_ops.checks.http import Client
from tinykit_ops.checks.keys import keys_in, private_file
from tinykit_ops.checks.model import (
    Area,
    CannotLook,
    Remedy,
    Severity,
    Tally,
    Vantage,
    Verdict,
)
from tinykit_ops.checks.registry import check
from tinykit_ops.edge.probe import is_page_shell

_PRIVATE = (*("/.env", "/.git/config", "/pb_data/data.db", "/pocketbase/pb_data/.setup_complete"),)
_UP = "..%2f..%2f..%2f..%2f..%2f..%2f"
_TRAVERSALS = (
    f"/_tk/assets/{_UP}etc%2fpasswd",
    f"/_app/immutable/{_UP}etc%2fpasswd",
    "/_app/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/..%5c..%5c..%5c..%5c..%5cetc%5cpasswd",
    "/_app../package.json",
)
_SCRIPT = re.compile(r"[\"'(](\.{0,2}/?[\w./-]*_app/immutable/[\w./-]+\.js)[\"')]")
_MOST_SCRIPTS = 5


@check(
    id="secrets.files-not-served",
    title="Environment files, git's folder and PocketBase's data are not served",
    area=Area.SECRETS,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDER,
    checklist="Use environment variables for secrets",
    remedy=Remedy(
        caddy="@private path /.env* /.git* /pb_data* /pocketbase/*\nrespond @private 404",
        nginx="location ~ ^/(\\.(?!well-known/)|pb_data|pocketbase/) { return 404; }",
        by_hand="Pass requests on to tinykit, and serve no folder of it yourself. Whatever was "
        "served is known: change every secret in it.",
    ),
)
def private_files_are_not_served(look: Context) -> Verdict:
    """Asks for the files that servers are most often found to hand out."""
    return _none_is_private(look.stranger, _PRIVATE)


@check(
    id="files.no-traversal",
    title="No path leads out of the folder of files",
    area=Area.FILES,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDER,
    checklist="Built-in: path traversal refused",
    remedy=Remedy(
        caddy="Use no `file_server` beside the reverse proxy; tinykit serves its files itself.",
        nginx="End `location /files/` and its `alias /srv/files/` both with a slash, or use none: "
        "tinykit serves its files itself.",
        by_hand="Pass the path on as it came, let nothing decode it twice, and serve no folder of "
        "the host beside tinykit.",
    ),
)
def no_path_leads_out(look: Context) -> Verdict:
    """Asks for /etc/passwd and package.json in spellings that climb out of a folder."""
    return _none_is_private(look.stranger, _TRAVERSALS)


def _none_is_private(client: Client, paths: Iterable[str]) -> Verdict:
    """The verdict on paths of which none may give a private file.

    The published app may answer any path, so only what is in an answer tells.
    """
    tally = Tally()
    for path in paths:
        try:
            answer = client.get(path, range="bytes=0-4095")
        except CannotLook as reason:
            tally.unseen.append(str(reason))
            continue
        if answer.status in {200, 206} and (found := private_file(answer.text)):
            tally.bad.append(f"{answer} with {found}")
        elif answer.status == 429 or answer.status >= 500:
            tally.unseen.append(str(answer))
        else:
            tally.good.append(f"{answer}, with no private file")
    return tally.verdict()


@check(
    id="secrets.bundles-clean",
    title="No key is in what browsers load",
    area=Area.SECRETS,
    severity=Severity.CRITICAL,
    looks_from=Vantage.OUTSIDE,
    checklist="API keys in .env, never in the browser",
    remedy=Remedy(
        by_hand="Have the provider make a new key: this one is known. Then keep it in the server's "
        "environment. In the code of an app, call the provider through a server, not from the "
        "page."
    ),
)
def bundles_hold_no_key(look: Context) -> Verdict:
    """Loads the published page and the login page, with their scripts, and looks for keys."""
    tally, builder = Tally(), look.at_builder(look.web)
    _scan(look, look.web, "/", tally)
    page = _scan(look, builder, "/login", tally)
    if page and not is_page_shell(page):
        tally.unseen.append(f"{page}, which is not the login page: its scripts were not seen")
    scripts = list(dict.fromkeys(_SCRIPT.findall(page.text))) if page else []
    for script in scripts[:_MOST_SCRIPTS]:
        _scan(look, builder, "/" + script.lstrip("./"), tally)
    return tally.verdict()


def _scan(look: Context, client: Client, path: str, tally: Tally) -> Answer | None:
    try:
        answer = look.get(client, path)
    except CannotLook as reason:
        tally.unseen.append(str(reason))
        return None
    if found := keys_in(answer.text):
        tally.bad.append(f"{answer} with {', '.join(found)} in it")
    elif answer.status == 429 or answer.status >= 500:
        tally.unseen.append(str(answer))
    elif not answer.is_legible:
        why = "more than is read" if answer.cut else "packed, which was not asked for"
        tally.unseen.append(f"{answer}, {why}")
    else:
        tally.good.append(f"{answer}, {len(answer.body)} bytes with no key in them")
    return answer
