import stat
import tarfile
from pathlib import Path

from tinykit_ops.lab import seed
from tinykit_ops.lab.addresses import choose
from tinykit_ops.lab.seed import OPS_UID, Seed

NETWORKS = choose("/labs/demo", [])
HOSTS = seed.hosts_file([("tk-1", "10.0.0.11", "fd00::b"), ("tk-2", "10.0.0.12", "fd00::c")])
SEED = Seed(
    name="tk-1",
    address4=NETWORKS.host4(1),
    address6=NETWORKS.host6(1),
    networks=NETWORKS,
    resolvers=["192.0.2.53"],
    hosts_lines=HOSTS,
    authorized_key="ssh-ed25519 AAAA lab",
    host_key=b"PRIVATE",
    host_key_public="ssh-ed25519 BBBB root@tk-1",
)


def unpacked(tmp_path: Path) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    seed.write(tmp_path / "seed.tar", SEED)
    with tarfile.open(tmp_path / "seed.tar") as archive:
        return {
            entry.name: (entry, stream.read() if (stream := archive.extractfile(entry)) else b"")
            for entry in archive
        }


def test_the_archive_and_the_private_key_in_it_are_for_root_only(tmp_path: Path) -> None:
    files = unpacked(tmp_path)
    assert stat.S_IMODE((tmp_path / "seed.tar").stat().st_mode) == 0o600
    entry, content = files["etc/ssh/ssh_host_ed25519_key"]
    assert content == b"PRIVATE"
    assert (entry.mode, entry.uid) == (0o600, 0)


def test_root_and_the_sudo_user_take_the_labs_key_only(tmp_path: Path) -> None:
    files = unpacked(tmp_path)
    for home, owner in (("root", 0), ("home/ops", OPS_UID)):
        folder, _ = files[f"{home}/.ssh"]
        entry, content = files[f"{home}/.ssh/authorized_keys"]
        assert content == b"ssh-ed25519 AAAA lab\n"
        assert (folder.mode, entry.mode, entry.uid) == (0o700, 0o600, owner)


def test_the_addresses_are_the_hosts_own_configuration(tmp_path: Path) -> None:
    text = unpacked(tmp_path)["etc/systemd/network/10-lab.network"][1].decode()
    assert f"Address={NETWORKS.host4(1)}/24" in text
    assert f"Address={NETWORKS.host6(1)}/64" in text
    assert f"Gateway={NETWORKS.controller4}" in text
    assert f"Gateway={NETWORKS.controller6}" in text


def test_hosts_know_each_other_by_name() -> None:
    assert "10.0.0.12 tk-2.lab.test tk-2\n" in HOSTS
    assert "fd00::c tk-2.lab.test tk-2\n" in HOSTS
    assert HOSTS.startswith("127.0.0.1 localhost\n")
