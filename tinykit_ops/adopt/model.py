"""An install made by hand, as far as it could be seen."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["tinykit", "pocketbase", "edge"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Piece(_Frozen):
    """Something that has to stop when the install is converted, and starts again on the way back.

    Attributes:
        name: a unit, a container, or the id of the first process of a tree.
        unit: of a process: the passing unit (`systemd-run`) that it runs in.
        seen: what a person calls it.
    """

    kind: Literal["unit", "container", "process"]
    name: str
    roles: tuple[Role, ...]
    unit: str = ""
    seen: str = ""


class Install(_Frozen):
    """What runs, where its data is, who reaches it.

    Attributes:
        layout: how it is run; `none` when no tinykit was found.
        pid: of tinykit's server.
        app: tinykit's folder, as tinykit sees it.
        url: tinykit on this host's loopback.
        pocketbase_url: PocketBase on this host's loopback; by tinykit where it is in a container.
        data: PocketBase's data folder on the host.
        marker: the file that may hold the superuser's password.
        environment: names of variables that tinykit got, from its unit, shell or `.env`.
        questions: what could not be told, and which option answers it.
        blockers: why it cannot be converted as it is.
        losses: what ends with a conversion, and is not tinykit's.
        notes: what was guessed, and what is left behind.
    """

    system: str
    layout: Literal["systemd", "docker", "bare", "mixed", "none"]
    pieces: tuple[Piece, ...] = ()
    pid: int = 0
    app: str = ""
    commit: str = ""
    node: str = ""
    url: str = ""
    pocketbase: str = ""
    pocketbase_url: str = ""
    data: str = ""
    data_kb: int = 0
    marker: str = ""
    marker_keys: tuple[str, ...] = ()
    email: str = ""
    domains: tuple[str, ...] = ()
    proxy: str = ""
    environment: tuple[str, ...] = ()
    llm: dict[str, str] = {}
    ssh_port: int = 22
    caller: str = ""
    cron: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    blockers: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, role: Role) -> list[Piece]:
        """The pieces that play a part."""
        return [piece for piece in self.pieces if role in piece.roles]


class Answers(_Frozen):
    """What a person says where a look cannot tell.

    Attributes:
        release: an archive on the controller.
        data: PocketBase's data folder, on the host.
    """

    domains: tuple[str, ...] = ()
    email: str = ""
    release: str = ""
    data: str = ""
