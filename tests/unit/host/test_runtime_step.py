"""What is stopped for another runtime, whom containers ask for names, which images are built."""

import subprocess

import pytest

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import docker, images, runtime_step
from tinykit_ops.host.images import Image, ImagesStep
from tinykit_ops.host.runtime_step import RuntimeStep, container_resolvers


def running(**programs):
    return lambda unit: programs.get(unit.partition(".")[0].replace("-", "_"))


def test_what_runs_in_the_right_runtime_is_left_alone(make_settings):
    programs = running(tinykit="/opt/node/24/node", pocketbase="/opt/pocketbase/0.40.6/pocketbase")
    assert RuntimeStep(make_settings(), running=programs).pending() == []
    assert RuntimeStep(make_settings(), running=running()).pending() == []


def test_containers_are_stopped_for_systemd_the_network_last(make_settings, monkeypatch):
    stopped = []
    monkeypatch.setattr(
        runtime_step.subprocess,
        "run",
        lambda words, **_: stopped.append(words) or subprocess.CompletedProcess(words, 0, "", ""),
    )
    docker_now = running(tinykit="/usr/bin/docker", pocketbase="/usr/bin/docker")
    step = RuntimeStep(make_settings(), running=lambda unit: docker_now(unit) or running_net(unit))
    assert len(step.pending()) == 3
    step.apply()
    assert stopped == [
        ["systemctl", "stop", layout.TINYKIT_UNIT, layout.POCKETBASE_UNIT, layout.NET_UNIT]
    ]


def running_net(unit):
    return "/usr/bin/docker" if unit == layout.NET_UNIT else None


def test_a_container_that_is_being_made_counts_as_one(make_settings):
    step = RuntimeStep(make_settings(), running=running(tinykit="/usr/bin/dash"))
    assert step.pending() == ["stop tinykit.service, which runs in the other runtime"]


@pytest.mark.parametrize(
    ("host", "upstream", "asked"),
    [
        ("nameserver 192.0.2.53\n", None, ["192.0.2.53"]),
        ("nameserver 127.0.0.53\n", "nameserver 192.0.2.1\n", ["192.0.2.1"]),
        ("nameserver ::1\nnameserver 192.0.2.9\n", None, ["192.0.2.9"]),
    ],
)
def test_containers_ask_the_hosts_resolvers(make_settings, tmp_path, host, upstream, asked):
    (tmp_path / "resolv.conf").write_text(host)
    if upstream:
        (tmp_path / "upstream").write_text(upstream)
    settings = make_settings(runtime="docker")
    found = container_resolvers(settings, tmp_path / "resolv.conf", tmp_path / "upstream")
    assert found == asked


def test_a_resolver_on_loopback_alone_is_an_error_with_a_way_out(make_settings, tmp_path):
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    settings = make_settings(runtime="docker")
    with pytest.raises(UnavailableError, match="resolvers"):
        container_resolvers(settings, tmp_path / "resolv.conf", tmp_path / "none")
    named = make_settings(runtime="docker", docker={"resolvers": ["192.0.2.5"]})
    assert container_resolvers(named, tmp_path / "resolv.conf") == ["192.0.2.5"]


class FakeDocker:
    """Remembers images by name: their identity or label, as the step asks for it."""

    def __init__(self):
        self.images = {}
        self.did = []

    def said(self, *words):
        if words[:2] == ("image", "ls"):
            return "\n".join(name for name in self.images if name.startswith("tinykit-ops/"))
        if words[:2] == ("image", "prune"):
            self.did.append(words)
            return ""
        if words[:2] == ("image", "rm"):
            self.images.pop(words[2], None)
            return ""
        name = words[-1]
        identity, label = self.images.get(name, (None, None))
        return identity if words[3] == "{{.Id}}" else label

    def do(self, *words, **_):
        self.did.append(words)
        if words[0] == "pull":
            self.images[words[-1]] = ("sha256:pulled", "")
        if words[0] == "import":
            self.images[words[-1]] = ("sha256:imported", "")
        return ""

    def build(self, name, folder, content):
        text = (folder / "Dockerfile").read_text()
        label = text.rsplit('"', 2)[1]
        self.images[name] = (f"sha256:{name}", label)
        self.did.append(("build", name, text))


@pytest.fixture
def world(monkeypatch, tmp_path):
    fake = FakeDocker()
    for name in ("said", "do", "build"):
        monkeypatch.setattr(docker, name, getattr(fake, name))
    program = tmp_path / "node"
    program.write_text("a program")
    wanted = [
        Image(f"tinykit-ops/tinykit:{name}", {"/opt/node": program}, ("true",), tmp_path / name)
        for name in ("one", "two")
    ]
    monkeypatch.setattr(images, "wanted_images", lambda: list(wanted))
    monkeypatch.setattr(images, "NOTE", tmp_path / "base")
    fake.wanted = wanted
    return fake


def test_images_are_built_once_on_a_base_that_is_pulled(make_settings, world):
    settings = make_settings(runtime="docker").docker
    assert any("debian:trixie-slim" in what for what in ImagesStep(settings).pending())
    ImagesStep(settings).apply()
    assert ImagesStep(settings).pending() == []
    built = [words for words in world.did if words[0] == "build"]
    assert [words[1] for words in built] == ["tinykit-ops/tinykit:one", "tinykit-ops/tinykit:two"]
    assert all(
        "FROM debian:trixie-slim\nLABEL tinykit-ops=1\nCOPY part0 /opt/node\n" in words[2]
        for words in built
    )


def test_a_release_more_leaves_what_running_containers_read_as_it_is(
    make_settings, world, tmp_path, monkeypatch
):
    resolv = tmp_path / "docker-resolv.conf"
    monkeypatch.setattr(layout, "DOCKER_RESOLV", str(resolv))
    settings = make_settings(runtime="docker", docker={"resolvers": ["192.0.2.5"]})
    step = RuntimeStep(settings, running=running())
    step.apply()
    before = resolv.stat()
    world.images.pop("tinykit-ops/tinykit:two")
    assert step.pending() == ["image tinykit-ops/tinykit:two"]
    step.apply()
    assert (resolv.stat().st_ino, resolv.stat().st_ctime_ns) == (before.st_ino, before.st_ctime_ns)


def test_another_base_makes_every_image_anew(make_settings, world):
    settings = make_settings(runtime="docker").docker
    ImagesStep(settings).apply()
    world.images["debian:trixie-slim"] = ("sha256:newer", "")
    assert len(ImagesStep(settings).pending()) == 2
    ImagesStep(settings).apply()
    assert ImagesStep(settings).pending() == []


def test_images_of_releases_that_are_gone_are_removed(make_settings, world):
    settings = make_settings(runtime="docker").docker
    ImagesStep(settings).apply()
    del world.wanted[0]
    world.images["somebody/elses:1"] = ("x", "")
    ImagesStep(settings).apply()
    assert set(world.images) == {
        "debian:trixie-slim",
        "tinykit-ops/tinykit:two",
        "somebody/elses:1",
    }
    # Layers of builds that did not come to their end have no name, but our label.
    assert ("image", "prune", "--force", "--filter", "label=tinykit-ops=1") in world.did


def test_the_host_itself_builds_on_the_base_of_the_last_deploy(make_settings, world, monkeypatch):
    settings = make_settings(runtime="docker").docker
    with pytest.raises(UnavailableError, match=r"deploys/runtime\.py"):
        ImagesStep.of_host(settings).build_missing()
    monkeypatch.setattr(images.Path, "is_file", lambda _: True)
    monkeypatch.setattr(images.Path, "unlink", lambda _: None)
    sent = ImagesStep(settings, "ab" * 32)
    sent.apply()
    assert sent.pending() == []
    del world.images["tinykit-ops/tinykit:two"]
    ImagesStep.of_host(settings).build_missing()
    assert "tinykit-ops/tinykit:two" in world.images
    assert sent.pending() == []


def test_what_a_build_without_room_left_is_removed_at_once(make_settings, world, monkeypatch):
    def full(*_):
        raise UnavailableError("no space left on device")

    monkeypatch.setattr(docker, "build", full)
    with pytest.raises(UnavailableError, match="no space"):
        ImagesStep(make_settings(runtime="docker").docker).apply()
    assert world.did[-1] == ("image", "prune", "--force", "--filter", "label=tinykit-ops=1")


def test_copies_of_secrets_go_with_the_containers(make_settings, tmp_path):
    (tmp_path / "containers/tinykit").mkdir(parents=True)
    step = RuntimeStep(make_settings(), running=running(), secrets=tmp_path / "containers")
    assert step.pending() == ["remove the containers' copies of secrets"]
    step.apply()
    assert step.pending() == []
    assert list(tmp_path.iterdir()) == []


def test_a_base_that_was_sent_is_imported_and_its_archive_removed(
    make_settings, world, tmp_path, monkeypatch
):
    archive = tmp_path / "base.tar"
    monkeypatch.setattr(layout, "DOCKER_BASE", str(archive))
    step = ImagesStep(make_settings(runtime="docker").docker, "ab" * 32)
    with pytest.raises(UnavailableError, match="run the deploy again"):
        step.apply()
    archive.write_bytes(b"x")
    step.apply()
    assert not archive.exists()
    assert step.base == "tinykit-ops/base:abababababababab" in world.images
