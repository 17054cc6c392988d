"""Making a lab, or what is missing of one. Every step may find its work done already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tinykit_ops.errors import UsageError
from tinykit_ops.lab import (
    acme,
    addresses,
    cgroups,
    forwarding,
    inotify,
    keys,
    network,
    plan,
    s3,
    seed,
)
from tinykit_ops.lab import state as notes
from tinykit_ops.lab.base_image import ensure_base_image
from tinykit_ops.lab.errors import LabNotFoundError
from tinykit_ops.lab.host import LabHost
from tinykit_ops.lab.lab import Lab
from tinykit_ops.lab.locks import locked
from tinykit_ops.lab.names import DOMAIN, LabNames
from tinykit_ops.lab.requirements import require_lab
from tinykit_ops.lab.state import LabState
from tinykit_ops.lab.tree import ensure_tree

Progress = Callable[[str], None]
#: Another `up` of this lab boots its hosts meanwhile, on a machine that may be busy.
LOCK_SECONDS = 300.0


def build(
    names: LabNames,
    cache: Path,
    releases: Sequence[str],
    count: int,
    with_s3: bool,
    disk: str | None,
    acme_life: int,
    docker: bool,
    *,
    progress: Progress,
) -> Lab:
    """The story of `lab up`; see `Lab.up` for the arguments."""
    wanted = plan.wanted_releases(releases, count)
    plan.check_disk(disk)
    require_lab(names.root, cache, own_disks=disk is not None, acme=acme_life > 0)
    names.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(names.folder, wait_seconds=LOCK_SECONDS):
        with locked(names.root, wait_seconds=LOCK_SECONDS), addresses.choosing():
            state = _known_or_new(names, with_s3, acme_life)
            notes.save(names.folder, state)
            cgroups.create(names.cgroup)
            progress(f"network {state.network4}, {state.network6}")
            _build_network(names, state)
        missing = _missing(state, wanted, asked=bool(releases) or count > 1)
        trees = {code: ensure_tree(code, cache, names.cgroup, progress) for code in set(missing)}
        if any(host.docker for host in state.hosts) or (docker and missing):
            ensure_base_image(cache, names.cgroup, progress)
        state = plan.add_hosts(state, missing, lambda code: trees[code].name, disk, docker)
        notes.save(names.folder, state)
        lab = Lab(names, state, cache)
        _prepare_hosts(lab)
        if state.s3:
            progress(f"S3 server at {lab.s3.endpoint}")
            s3.ensure_running(lab.s3, names)
        if state.acme_life:
            progress(f"ACME server at {lab.acme.directory}")
            acme.ensure_running(lab.acme, names, state.hosts)
        inotify.make_room(len(lab.hosts))
        _boot(lab.hosts, progress)
    return lab


def _known_or_new(names: LabNames, with_s3: bool, acme_life: int) -> LabState:
    try:
        state = notes.load(names.folder)
    except LabNotFoundError:
        _refuse_twin(names)
        lab_id = f"{names.root}/{names.name}"
        networks = addresses.choose(lab_id, addresses.used_networks())
        return plan.new_lab(names.name, networks, s3=with_s3, acme_life=acme_life)
    return replace(state, s3=state.s3 or with_s3, acme_life=state.acme_life or acme_life)


def _refuse_twin(names: LabNames) -> None:
    """Two names may share the three digits that fit into the name of an interface."""
    for other in names.root.iterdir():
        is_twin = LabNames(names.root, other.name).link_id == names.link_id
        if other.is_dir() and other.name != names.name and is_twin:
            raise UsageError(
                f"Labs {names.name!r} and {other.name!r} would share their interfaces' names.",
                hint="Choose another name.",
            )


def _build_network(names: LabNames, state: LabState) -> None:
    cgroups.create(names.clients_cgroup)
    forwarding.switch_on(names.root)
    network.build(names, plan.networks_of(state))


def _missing(state: LabState, wanted: Sequence[str], *, asked: bool) -> list[str]:
    """Hosts to add; a plain `lab up` adds none to a lab that has some."""
    if state.hosts and not asked:
        return []
    return plan.missing_releases(state, wanted)


def _prepare_hosts(lab: Lab) -> None:
    """Keys and seeds, before anything boots."""
    (lab.folder / "keys").mkdir(mode=0o700, exist_ok=True)
    authorized = keys.ensure_ssh_key(lab.key, f"tinykit-lab-{lab.name}")
    keys.ensure_password(lab.admin_password)
    keys.ensure_age_key(lab.age_key)
    lines = seed.hosts_file((h.name, h.address4, h.address6) for h in lab.hosts)
    network.write_outside_hosts(lab.names, lines)
    pinned = []
    for host in lab.hosts:
        public = _prepare_host(lab, host, authorized, lines)
        pinned.append(((host.name, f"{host.name}.{DOMAIN}", host.address4, host.address6), public))
    keys.write_known_hosts(lab.known_hosts, pinned)


def _prepare_host(lab: Lab, host: LabHost, authorized: str, lines: str) -> str:
    """Returns the host's public SSH key."""
    folder, networks = host.machine.folder, lab.networks
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = folder / "ssh_host_ed25519_key"
    public = keys.ensure_ssh_key(key, f"root@{host.name}")
    if not (folder / "seeded").exists():
        identity = seed.Seed(
            name=host.name,
            address4=networks.host4(host.machine.state.number),
            address6=networks.host6(host.machine.state.number),
            networks=networks,
            resolvers=[str(address) for address in addresses.resolvers()],
            hosts_lines=lines,
            authorized_key=authorized,
            host_key=key.read_bytes(),
            host_key_public=public,
        )
        seed.write(folder / "seed.tar", identity)
    return public


def _boot(hosts: Sequence[LabHost], progress: Progress) -> None:
    for host in hosts:
        if not host.is_running:
            progress(f"booting {host.name} ({host.release}, {host.address4})")
            host.boot()
    for host in hosts:
        host.wait_until_ready()
        failed = host.failed_units()
        progress(f"{host.name} is ready" + (f"; failed units: {failed}" if failed else ""))
