"""What runs: the tinykit release, PocketBase, and the language model that tinykit talks to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tinykit_ops.artifacts import PINNED
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.section import Section
from tinykit_ops.settings.values import Commit, ModelName, Sha256, Source, Version, WebAddress

_APP_EXAMPLE = 'example: "app": {"archive": "dist/tinykit-617db3416af2.tar.zst", "sha256": "…"}'
_OLDEST_POCKETBASE = "0.23.4"


def is_web_address(source: str) -> bool:
    """Does an archive come over the network?"""
    return source.startswith("https://")


def _one_source(app: AppSettings) -> Iterator[Problem]:
    if app.archive is None and app.git is None:
        reason = "names no source: give archive, or git and commit"
        yield Problem("", reason, _APP_EXAMPLE)
    if app.archive is not None and app.git is not None:
        yield Problem("", "names two sources: give archive, or git and commit", _APP_EXAMPLE)


def _commit_goes_with_git(app: AppSettings) -> Iterator[Problem]:
    if app.git is not None and app.commit is None:
        reason = "is missing: what a branch points to changes, so git needs a commit"
        yield Problem("commit", reason, f'example: "commit": "{"617db34" + "0" * 33}"')
    if app.git is None and app.commit is not None:
        yield Problem("commit", "is given without git", 'add "git": "https://…"')


def _fetched_archive_has_a_hash(app: AppSettings) -> Iterator[Problem]:
    if app.archive is None:
        if app.sha256 is not None:
            yield Problem("sha256", "is the hash of an archive, and there is none")
    elif is_web_address(app.archive):
        if app.sha256 is None:
            reason = "is missing: an archive that comes over the network needs its hash"
            yield Problem("sha256", reason, "`sha256sum ARCHIVE` prints it")
    elif "://" in app.archive:
        reason = "is neither a path nor an https:// address"
        yield Problem("archive", reason, _APP_EXAMPLE)


class AppSettings(Section):
    """The tinykit to run: a release archive, or a commit that the controller builds."""

    rules = (_one_source, _commit_goes_with_git, _fetched_archive_has_a_hash)

    archive: Source | None = Field(
        default=None,
        description="A release archive as `tinykit-ops release build` makes it: a path on the "
        "controller, relative to the current folder, or an https:// address.",
        examples=["dist/tinykit-617db3416af2.tar.zst"],
    )
    sha256: Sha256 | None = Field(
        default=None,
        description="SHA-256 of the archive; required when it comes over the network.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    git: Source | None = Field(
        default=None,
        description="Repository to build from, on the controller (needs 2.4 GB of memory).",
        examples=["https://github.com/tinykit-studio/tinykit"],
    )
    commit: Commit | None = Field(
        default=None,
        description="Which commit of `git` to build.",
        examples=["617db3416af227451e18de1f84394888679cf766"],
    )


def _version_is_recent(pocketbase: PocketbaseSettings) -> Iterator[Problem]:
    def numbers(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.split("."))

    if numbers(pocketbase.version) < numbers(_OLDEST_POCKETBASE):
        reason = f"is older than {_OLDEST_POCKETBASE}, the oldest that tinykit runs with"
        yield Problem("version", reason, f'example: "{next(iter(PINNED["pocketbase"]))}"')
    elif pocketbase.version not in PINNED["pocketbase"] and not pocketbase.sha256:
        known = ", ".join(PINNED["pocketbase"])
        yield Problem(
            "version",
            f"is not a version that tinykit-ops has a hash for ({known})",
            'use one of these, or give the binary\'s hash: "sha256": {"x86_64": "…"}',
        )


class PocketbaseSettings(Section):
    """The PocketBase to run."""

    rules = (_version_is_recent,)

    version: Version = Field(
        default="0.40.6",
        description=f"PocketBase's version, {_OLDEST_POCKETBASE} or newer: one that tinykit-ops "
        f"has a hash for ({', '.join(PINNED['pocketbase'])}), or any with `sha256`.",
        examples=["0.40.6"],
    )
    sha256: dict[Literal["x86_64", "aarch64"], Sha256] = Field(
        default={},
        description="SHA-256 of the binary by architecture, for a version without a known hash.",
        examples=[{"x86_64": "7139ae3da24ddf4bb28ec343376a16ca9a5fe8579a099938f044829cadba8cfe"}],
    )
    outbound: bool = Field(
        default=False,
        description="Let PocketBase open connections to the world: needed for mail (SMTP), OAuth2 "
        "logins, and files or backups that it keeps in S3 itself. Without, it can reach nothing "
        "but this host.",
        examples=[True],
    )


def _provider_is_named(llm: LlmSettings) -> Iterator[Problem]:
    if llm.provider is None:
        for name in ("api_key", "model", "base_url"):
            if getattr(llm, name) is not None:
                reason = "is given without a provider"
                yield Problem(
                    name, reason, 'add "provider": "openai" (or anthropic, gemini, custom)'
                )


def _custom_has_an_address(llm: LlmSettings) -> Iterator[Problem]:
    if llm.provider == "custom" and llm.base_url is None:
        reason = 'is missing: the provider "custom" needs the address of its API'
        yield Problem("base_url", reason, 'example: "base_url": "https://llm.example.com/v1"')


class LlmSettings(Section):
    """The language model provider that tinykit's builder uses."""

    rules = (_provider_is_named, _custom_has_an_address)

    provider: Literal["openai", "anthropic", "gemini", "custom"] | None = Field(
        default=None,
        description="The provider. Left out, people set it in tinykit's own settings page, which "
        "keeps the key in the database.",
        examples=["anthropic"],
    )
    model: ModelName | None = Field(
        default=None,
        description="The model's name; tinykit's own choice when left out.",
        examples=["claude-sonnet-4-5"],
    )
    base_url: WebAddress | None = Field(
        default=None,
        description="Address of an API that speaks OpenAI's protocol; needed by `custom`.",
        examples=["https://llm.example.com/v1"],
    )
    api_key: Secret | None = Field(
        default=None,
        description="The provider's key. It stays in the service's environment, never in the "
        "browser or the database.",
        examples=[{"env": "TINYKIT_LLM_API_KEY"}],
    )
