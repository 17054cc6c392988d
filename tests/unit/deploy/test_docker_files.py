"""What a deploy writes for containers: compose.yml, the script, the units, the firewall."""

import re
import subprocess

import pytest
import yaml

from tinykit_ops import layout
from tinykit_ops.checks.containers import ours
from tinykit_ops.deploy import docker
from tinykit_ops.deploy.firewall import CLOSED4, ruleset
from tinykit_ops.deploy.pocketbase import CREDENTIALS
from tinykit_ops.settings.pyinfra_error import RunStoppedError


@pytest.fixture
def files(make_settings):
    def made(**settings):
        found = docker.docker_files(make_settings(runtime="docker", **settings))
        return {entry.path: entry for entry in found}

    return made


@pytest.fixture
def services(files):
    def made(**settings):
        found = files(**settings)
        read = [
            yaml.safe_load(found[path].content)
            for path in (layout.DOCKER_COMPOSE, layout.DOCKER_NET)
        ]
        return {name: service for each in read for name, service in each["services"].items()}

    return made


def test_every_container_is_shut_in(services):
    found = services()
    assert {service["container_name"] for service in found.values()} == {*ours(), "tinykit-standby"}
    for service in found.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] not in {"0", "root"}
        assert service["pids_limit"] > 0
        assert service["logging"]["options"]["max-size"]
        assert "privileged" not in service and "cap_add" not in service


def test_only_the_network_publishes_ports_and_only_on_loopback(services):
    found = services()
    assert sorted(found["net"]["ports"]) == [
        f"127.0.0.1:{port}:{port}" for port in (3000, 3001, 8091)
    ]
    others = [service for name, service in found.items() if name != "net"]
    assert [service["network_mode"] for service in others] == ["container:tinykit-net"] * len(
        others
    )
    assert [service for service in others if "ports" in service] == []


def test_what_others_are_told_does_not_touch_the_network_that_all_of_them_stand_on(files):
    changed = files(superuser_email="another@example.com", edge={"limits": {"logins": 7}})
    before = files()
    assert changed[layout.DOCKER_COMPOSE].content != before[layout.DOCKER_COMPOSE].content
    assert changed[layout.DOCKER_NET].content == before[layout.DOCKER_NET].content


def test_tinykit_sees_no_data_and_may_write_nowhere(services):
    for name in ("tinykit-app", "tinykit-standby"):
        mounts = services()[name]["volumes"]
        assert all(mount["read_only"] for mount in mounts)
        seen = {mount["source"] for mount in mounts}
        assert seen == {layout.DOCKER_RESOLV, f"{layout.DOCKER_SECRETS}/tinykit"}


def test_pocketbase_may_write_to_its_own_data_alone(services):
    mounts = services()["pocketbase"]["volumes"]
    writable = [mount["source"] for mount in mounts if not mount.get("read_only")]
    assert writable == [layout.POCKETBASE_STATE]


def test_a_setting_is_text_in_compose_whatever_is_in_it(files):
    text = files(superuser_email="a'b+c@example.com")[layout.DOCKER_COMPOSE].content
    environment = yaml.safe_load(text)["services"]["pocketbase"]["environment"]
    assert environment["TINYKIT_OPS_SUPERUSER_EMAIL"] == "a'b+c@example.com"


def test_what_is_in_memory_never_becomes_a_core_dump(make_settings, services):
    from tinykit_ops.deploy.templates import render

    assert {each["ulimits"]["core"] for each in services().values()} == {0}
    settings = make_settings()
    for name in ("pocketbase", "tinykit", "caddy", "nginx"):
        more = {"settings": settings, "directories": "", "credentials": [], "standby": False}
        assert "\nLimitCORE=0\n" in render(f"systemd/{name}.service.j2", **more)


def test_hooks_get_the_same_settings_in_containers_as_under_systemd(make_settings):
    from tinykit_ops.deploy.templates import render

    settings = make_settings(edge={"tls": {"mode": "acme", "on_demand": True}})
    unit = render(
        "systemd/pocketbase.service.j2", settings=settings, directories="", credentials=CREDENTIALS
    )
    alone = dict(re.findall(r'^Environment="?(TINYKIT_OPS_\w+)=(.*?)"?$', unit, re.MULTILINE))
    inside = docker.pocketbase_environment(settings)
    assert alone == {key: value for key, value in inside.items() if key in alone}
    assert set(inside) - set(alone) == {"CREDENTIALS_DIRECTORY"}


def test_what_the_units_run_is_roots_and_is_shell(files):
    found = files()
    assert found[layout.DOCKER_DIR].mode == "700"
    run = found[layout.DOCKER_RUN]
    assert run.mode == "700"
    done = subprocess.run(
        ["sh", "-n"], input=run.content, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all(f"{layout.SECRETS_DIR}/{name}" in run.content for name in CREDENTIALS)


def test_units_keep_their_names_and_need_the_network(make_settings):
    settings = make_settings(runtime="docker")
    for text in (docker.pocketbase_unit(), docker.tinykit_unit(settings, docker.SERVER)):
        assert f"Requires={layout.NET_UNIT}" in text
        assert f"ExecStart={layout.DOCKER_RUN} " in text
    assert "WantedBy=" not in docker.tinykit_unit(settings, docker.STANDBY)
    assert docker.SERVER.unit == layout.TINYKIT_UNIT


def test_tinykit_does_not_start_without_the_firewall_that_contains_it(make_settings):
    guarded = docker.tinykit_unit(make_settings(runtime="docker"), docker.SERVER)
    free = make_settings(runtime="docker", firewall={"enabled": False})
    assert layout.FIREWALL_DEMANDED in guarded
    assert layout.FIREWALL_DEMANDED not in docker.tinykit_unit(free, docker.SERVER)
    # It looks for the very rule that the firewall has.
    pattern = re.search(r'grep -q "([^"]+)"', guarded)[1]
    assert re.search(pattern, ruleset(make_settings(runtime="docker")))
    assert not re.search(pattern, ruleset(make_settings()))


def chain(text, name):
    return re.search(rf"chain {name} \{{(.*?)\n\t\}}", text, re.DOTALL)[1]


def test_what_comes_out_of_containers_goes_where_tinykit_may_go(make_settings):
    text = ruleset(make_settings(runtime="docker"))
    forward = chain(text, "forward")
    assert f'iifname "{layout.DOCKER_BRIDGE}" goto containers' in forward
    assert "policy accept" in forward  # others' containers and networks are none of ours
    assert forward.strip().endswith(f'oifname "{layout.DOCKER_BRIDGE}" counter drop')
    for name in ("containers", "tinykit"):
        assert chain(text, name).strip().endswith("goto internet")
    assert all(network in chain(text, "internet") for network in CLOSED4)


def test_containers_reach_nothing_of_the_host_but_its_resolver(make_settings):
    text = ruleset(make_settings(runtime="docker"))
    first = next(line for line in chain(text, "input").splitlines() if "iif" in line)
    assert first.strip() == f'iifname "{layout.DOCKER_BRIDGE}" goto from_containers'
    accepted = [line for line in chain(text, "from_containers").splitlines() if "accept" in line]
    assert len(accepted) == 2 and "direction reply" in accepted[0] and "dport 53" in accepted[1]


def test_without_containers_nothing_is_said_of_them(make_settings):
    assert layout.DOCKER_BRIDGE not in ruleset(make_settings())


@pytest.mark.parametrize("outbound", [False, True])
def test_pocketbase_opens_connections_only_when_the_settings_let_it(files, make_settings, outbound):
    mine = {"pocketbase": {"outbound": outbound}}
    text = files(**mine)[layout.DOCKER_INSIDE].content
    assert ("dport { 25, 465, 587 } goto refused" in text) == outbound  # for tinykit
    outer = ruleset(make_settings(runtime="docker", **mine))
    assert ("dport { 25, 465, 587 } accept" in chain(outer, "internet")) == outbound
    assert ('\t\tmeta skuid "pocketbase" accept' in text) == outbound


@pytest.mark.parametrize("outbound", [False, True])
def test_nft_takes_both_rule_sets(files, make_settings, outbound, tmp_path):
    inside = files(pocketbase={"outbound": outbound})[layout.DOCKER_INSIDE].content
    outer = ruleset(make_settings(runtime="docker", firewall={"mode": "cdn", "cdn": CDN}))
    for text in (inside, outer):
        # Names of users and the file of sets are the host's.
        known = re.sub(r'"(tinykit|pocketbase)"', "1", text).replace("include", "# include")
        words = ["unshare", "--net", "--map-root-user", "nft", "--check", "--file", "-"]
        done = subprocess.run(words, input=known, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


CDN = {"networks": ["2001:db8::/48"]}


def test_a_base_archive_that_is_not_there_stops_the_run_with_a_hint(make_settings, tmp_path):
    there = tmp_path / "base.tar"
    settings = make_settings(runtime="docker", docker={"base_archive": str(there)})
    with pytest.raises(RunStoppedError, match="mmdebstrap"):
        docker.base_archive(settings)
    there.write_bytes(b"a root file system")
    path, digest = docker.base_archive(settings)
    assert path == there and len(digest) == 64
    assert docker.base_archive(make_settings()) is None


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"version": "12"}, ["docker.io", "docker-compose", "iptables"]),
        ({"version": "13"}, ["docker.io", "docker-cli", "docker-compose", "iptables"]),
        ({"version": "13", "docker_ce": "yes"}, []),
    ],
)
def test_debians_docker_is_installed_unless_dockers_own_is_there(facts, wanted):
    assert docker.packages(facts) == wanted
