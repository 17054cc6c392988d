"""Ways to break one thing of a host, and to mend it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from mutation_bench import MutationBench

from tinykit_ops import layout

Break = Callable[[MutationBench], AbstractContextManager[None]]
Edit = Callable[[MutationBench, str], str]


@dataclass(frozen=True)
class Mutation:
    """One breakage.

    Attributes:
        name: unique, as a person would say it.
        finds: ids of exactly the checks that must fail.
        breaks: makes it, and mends it at the end of the block.
        blinds: ids that may say "unknown" while it lasts, because they cannot look any more.
        only: `caddy` or `nginx`, where it can be made with one of them alone.
        runtime: `systemd` or `docker`, likewise.
    """

    name: str
    finds: frozenset[str]
    breaks: Break
    blinds: frozenset[str] = frozenset()
    only: str = ""
    runtime: str = ""


def mutation(
    name: str, finds: str, breaks: Break, *, blinds: str = "", only: str = "", runtime: str = ""
) -> Mutation:
    """A row; several ids are separated by spaces."""
    found, blinded = frozenset(finds.split()), frozenset(blinds.split())
    return Mutation(name, found, breaks, blinded, only, runtime)


def shell(on: str, off: str) -> Break:
    """Two lines of shell on the host."""

    @contextmanager
    def broken(bench: MutationBench) -> Iterator[None]:
        try:
            bench.sh(on)
            yield
        finally:
            bench.sh(off)

    return broken


def mode(path: str, bits: str) -> Break:
    """Other permission bits for a file or folder."""
    kept = f"/run/mutation-mode{path.replace('/', '-')}"
    return shell(
        f"stat -c %a {path} > {kept}; chmod {bits} {path}", f"chmod $(cat {kept}) {path}; rm {kept}"
    )


def owner(path: str, who: str) -> Break:
    """Another owner for a file or folder."""
    kept = f"/run/mutation-owner{path.replace('/', '-')}"
    return shell(
        f"stat -c %U:%G {path} > {kept}; chown {who} {path}",
        f"chown $(cat {kept}) {path}; rm {kept}",
    )


def text(path: str, change: Callable[[str], str], then: str = "true") -> Break:
    """Another text in a file, and a command after each change."""

    @contextmanager
    def broken(bench: MutationBench) -> Iterator[None]:
        old = bench.edit(path, change)
        try:
            bench.sh(then)
            yield
        finally:
            bench.write(path, old)
            bench.sh(then)

    return broken


def new_file(path: str, content: str, then: str = "true") -> Break:
    """A file that was not there."""
    return shell(f"printf %s '{content}' > {path}; {then}", f"rm -f {path}; {then}")


def moved(path: str) -> Break:
    """A file that is not there any more."""
    return shell(f"mv {path} /root/mutation-moved", f"mv /root/mutation-moved {path}")


def replaced(path: str, script: str) -> Break:
    """A program (or a link to it) that is another one for a while."""
    back = "/root/mutation-replaced"
    return shell(
        f"mv {path} {back}; printf '#!/bin/sh\\n{script}\\n' > {path}; chmod 755 {path}",
        f"rm -f {path}; mv {back} {path}",
    )


def collection(name: str, **changes: Any) -> Break:
    """Other values of keys of a collection; `field__key` changes a key of one of its fields."""

    @contextmanager
    def broken(bench: MutationBench) -> Iterator[None]:
        path = f"/api/collections/{name}"
        old = bench.pocketbase("GET", path)
        bench.pocketbase("PATCH", path, _changed(old, changes))
        try:
            yield
        finally:
            keys = {key.split("__")[0] if "__" not in key else "fields" for key in changes}
            bench.pocketbase("PATCH", path, {key: old[key] for key in keys})

    return broken


def _changed(old: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    for key, value in changes.items():
        field, _, part = key.partition("__")
        if part:
            fields = patch.setdefault("fields", [dict(each) for each in old["fields"]])
            next(each for each in fields if each["name"] == field)[part] = value
        else:
            patch[key] = {**old[key], **value} if isinstance(value, dict) else value
    return patch


def server(section: str, value: Any) -> Break:
    """Another value of one section of PocketBase's settings."""

    @contextmanager
    def broken(bench: MutationBench) -> Iterator[None]:
        old = bench.pocketbase("GET", "/api/settings")[section]
        new = {**old, **value} if isinstance(value, dict) else value
        bench.pocketbase("PATCH", "/api/settings", {section: new})
        try:
            yield
        finally:
            bench.pocketbase("PATCH", "/api/settings", {section: old})

    return broken


def record(collection: str, data: dict[str, Any]) -> Break:
    """A record more."""

    @contextmanager
    def broken(bench: MutationBench) -> Iterator[None]:
        path = f"/api/collections/{collection}/records"
        made = bench.pocketbase("POST", path, data)
        try:
            yield
        finally:
            bench.pocketbase("DELETE", f"{path}/{made['id']}")

    return broken


def edge(caddy: Edit | None = None, nginx: Edit | None = None) -> Break:
    """Another configuration of the proxy."""

    @contextmanager
    def broken(bench: MutationBench) -> Iterator[None]:
        change = caddy if bench.kind == "caddy" else nginx
        assert change is not None, "this proxy has no such break"
        old = bench.edit(bench.edge_config, lambda said: change(bench, said))
        try:
            bench.reload_edge()
            yield
        finally:
            bench.write(bench.edge_config, old)
            bench.reload_edge()

    return broken


def both(first: Break, second: Break) -> Break:
    """Two breaks that only together are one."""

    @contextmanager
    def broken(bench: MutationBench) -> Iterator[None]:
        with first(bench), second(bench):
            yield

    return broken


BACKUP_STATUS = f"{layout.STATE_DIR}/backup/status.json"
