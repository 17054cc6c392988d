"""The firewall on a real host: who gets in, where tinykit gets out to, and nobody locked out."""

from __future__ import annotations

import random
import re
import subprocess
from itertools import islice

import pytest
from firewall_cases import judge, kill_cases, rules_cases, settings_cases, without_ssh
from firewall_inside import (
    CLOSED,
    MARK,
    OWN_PUBLIC,
    PORT,
    PUBLIC,
    assert_nowhere,
    own_addresses,
    plain,
    proxied,
    surroundings,
    tried,
    unanswered,
    ways_in,
)
from firewall_trials import Trials
from tests_e2e_support import RUNTIME, STATUS, Provisioner, curl, execute

from tinykit_ops.lab.lab import Lab

pytestmark = pytest.mark.lab

LAB = "e2e-fw"


@pytest.fixture(scope="module")
def trials(contract_app, tmp_path_factory):
    """A whole instance behind its firewall, in a lab of its own."""
    lab = Lab.up(LAB, releases=("13", "13"), s3=False)  # the second one is a bastion
    try:
        trials = Trials(Provisioner(lab, contract_app, tmp_path_factory.mktemp("inventories")))
        run = trials.provisioner.deploy(trials.good)
        assert run.code == 0, run.text[-3000:]
        trials.prepare()
        yield trials
    finally:
        lab.down()


def status(trials, client="outside", connects=60):
    """The HTTP status that a stranger (or the controller) gets for a public asset; 000 for none.

    Args:
        connects: seconds that the connection may take.
    """
    path = "/_tk/assets/placeholder.jpg"
    command = curl(trials.host, path, *STATUS, "--connect-timeout", str(connects))
    if client == "outside":
        return trials.provisioner.lab.outside.run(command).stdout
    return execute(command).out


def is_shut_out(trials, client="outside"):
    """Whether they get no connection; the firewall drops what it does not want."""
    return status(trials, client, connects=4) == "000"


def test_a_second_run_changes_nothing(trials):
    run = trials.provisioner.deploy(trials.good, deploy="firewall.py")
    assert run.changed(trials.host.name) == []


def test_services_are_closed_whatever_they_bind_to(trials):
    host, outside = trials.host, trials.provisioner.lab.outside
    # Beside PocketBase, which is on loopback; and on every address.
    for address, port in ((host.address4, 8091), ("::", 8078)):
        serve = ["python3", "-m", "http.server", "--bind", address, str(port)]
        host.run(["systemd-run", "--quiet", *serve])
    for address, port in ((host.address4, 8091), (host.address4, 8078), (host.address6, 8078)):
        url = f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"
        assert trials.host.run(["python3", "-c", _GET, url]).stdout.strip() == "200"
        for command in (["curl"], outside.command(["curl"])):
            words = [*command, "-s", "--max-time", "2", "-o", "/dev/null", url]
            assert subprocess.run(words, check=False).returncode == 28, url


_GET = """
import sys, time, urllib.request
for _ in range(600):
    try: print(urllib.request.urlopen(sys.argv[1], timeout=5).status); break
    except OSError: time.sleep(0.1)
"""


def test_in_each_mode_they_get_in_who_may(trials):
    networks = trials.provisioner.lab.networks
    assert (status(trials), status(trials, client="controller")) == ("200", "200")
    with trials.firewall(mode="private", web_from=[str(networks.controller4)]):
        assert is_shut_out(trials)
        assert status(trials, client="controller") == "200"
    outside = [str(networks.outside4), str(networks.outside6)]
    with trials.firewall(mode="cdn", cdn={"networks": outside}):
        assert is_shut_out(trials, client="controller")
        assert status(trials) == "200"
        assert trials.console("cat /var/lib/tinykit-ops/cdn-networks").split() == outside
    assert (status(trials), status(trials, client="controller")) == ("200", "200")
    assert trials.console("cat /var/lib/tinykit-ops/cdn-networks") == ""


def test_who_is_connected_stays_so_when_new_rules_shut_the_door(trials):
    host = trials.host
    connect = f"""
import http.client, ssl
context = ssl._create_unverified_context()
connection = http.client.HTTPSConnection({host.domain!r}, timeout=90, context=context)
def ask():
    connection.request("GET", "/_tk/assets/placeholder.jpg")
    answer = connection.getresponse()
    answer.read()
    print(answer.status, flush=True)
ask()
kept = connection.sock
input()
ask()
assert connection.sock is kept
"""
    words = trials.provisioner.lab.outside.command(["python3", "-c", connect])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as client:
        assert client.stdout.readline() == "200\n"
        with trials.firewall(mode="private", web_from=["192.0.2.1"]):
            assert is_shut_out(trials)
            said, _ = client.communicate("\n", timeout=120)
    assert (said, client.returncode) == ("200\n", 0)


def test_one_address_has_only_so_many_connections(trials):
    limit = int(re.search(r"ct count over (\d+)", trials.rules())[1])
    hold = (
        "import socket\nheld = []\n"
        f"for _ in range({limit + 20}):\n"
        "    try: held.append(socket.create_connection(("
        f"{trials.host.address4!r}, 443), timeout=60))\n"
        "    except OSError: break\n"
        "print(len(held))"
    )
    held = trials.provisioner.lab.outside.run(["python3", "-c", hold]).stdout.strip()
    assert int(held) == limit
    assert status(trials, client="controller") == "200"


def test_the_apps_proxy_gets_nowhere_inside(trials):
    with surroundings(trials):
        servers = [*plain((*PUBLIC, *CLOSED)), *plain(own_addresses(trials), PORT)]
        assert unanswered(trials, servers) == []  # nothing but the firewall is in the way
        for url in plain(PUBLIC[:1] if RUNTIME == "docker" else PUBLIC):  # containers: only IPv4
            assert MARK in proxied(trials, url), url  # the Internet can be reached
        assert_nowhere(tried(trials, ways_in(trials)))
        # On its own public addresses the edge would answer.
        assert [proxied(trials, url)[-3:] for url in plain(OWN_PUBLIC)] == ["502", "502"]


def test_tinykit_speaks_dns_to_the_resolvers_alone(trials):
    ask = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, getattr(socket, 'SOCK_' + sys.argv[3]))\n"
        "s.settimeout(60)\n"
        "try: s.connect((sys.argv[1], int(sys.argv[2]))); s.send(b'x'); print('sent')\n"
        "except PermissionError: print('refused')\n"
        "except ConnectionRefusedError: print('refused')\n"
        "except OSError as error: print(error)"
    )

    def tinykit(address, port, kind):
        words = ["runuser", "-u", "tinykit", "--", "python3", "-c", ask, address, str(port), kind]
        return trials.host.run(words).stdout.strip()

    resolver = trials.console("awk '/^nameserver/ {print $2; exit}' /etc/resolv.conf").strip()
    controller = str(trials.provisioner.lab.networks.controller4)
    assert tinykit(resolver, 53, "DGRAM") == "sent"
    assert tinykit(resolver, 5353, "DGRAM") == "refused"
    assert tinykit(controller, 53, "DGRAM") == "refused"
    assert tinykit(PUBLIC[0], 53, "DGRAM") == "refused"
    assert tinykit(PUBLIC[0], 8443, "STREAM") == "refused"
    assert tinykit("127.0.0.1", 3000, "STREAM") == "refused"
    assert tinykit("127.0.0.1", 8091, "STREAM") == "sent"


def test_the_language_models_address_is_opened_and_nothing_beside_it(trials):
    networks = trials.provisioner.lab.networks
    model = {"provider": "custom", "base_url": f"http://{networks.client4}:11434/v1"}
    changed = trials.inventory(llm=model)
    assert trials.deploy(changed).code == 0
    opened = trials.console("nft list set inet tinykit_ops llm4")
    assert f"{networks.client4} . 11434" in opened
    assert trials.restore().code == 0
    assert "11434" not in trials.console("nft list set inet tinykit_ops llm4")


def through_bastion(trials, folder, **firewall):
    """An inventory whose runs come by way of the lab's second host, as an SSH client's own do."""
    bastion = trials.provisioner.lab.hosts[1]
    config = folder / "ssh_config"
    config.write_text(
        f"Host {trials.host.address4}\n  ProxyJump {bastion.address4}\n"
        f"Host *\n  User root\n  IdentityFile {bastion.key}\n"
        f"  UserKnownHostsFile {bastion.known_hosts}\n"
    )
    return trials.inventory(firewall, data={"ssh_config_file": str(config)})


def test_a_run_through_a_bastion_confirms_over_it_and_cannot_shut_it_out(trials, tmp_path):
    bastion = trials.provisioner.lab.hosts[1]
    controller = str(trials.provisioner.lab.networks.controller4)
    jump = through_bastion(trials, tmp_path, ssh_from=[bastion.address4])
    others = through_bastion(trials, tmp_path, ssh_from=[controller])
    try:
        run = trials.deploy(jump)
        assert run.code == 0, run.text[-3000:]
        assert not trials.is_open()  # nobody but the bastion gets in
        refused = trials.deploy(others)
        assert refused.code != 0
        assert bastion.address4 in refused.text  # it is the bastion that they would shut out
        code, said = trials.try_rules(without_ssh(trials.rules()), inventory=jump)
        assert (code, "not confirmed" in said) == (1, True), said[-3000:]
        assert trials.over()
    finally:
        run = trials.deploy(through_bastion(trials, tmp_path))
    assert run.code == 0, run.text[-3000:]
    assert trials.wait_until_open()


def sample(trials):
    """Eight ways to shut somebody out, of every kind; `scripts/soak firewall` knows more."""
    rng = random.Random(3)
    written = [c for c in islice(settings_cases(rng, trials), 18) if c.name == "IPv6 forgotten"]
    rules = list(islice(rules_cases(rng, trials), 14))
    kills = list(islice(kill_cases(rng, trials), 13))
    return [*written, rules[0], rules[2], rules[10], kills[1], kills[4], kills[6], kills[2]]


def test_bad_rules_and_kills_lock_nobody_out(trials):
    verdicts = [judge(trials, case) for case in sample(trials)]
    print(f"longest time shut out: {max(verdict.longest for verdict in verdicts):.1f} s")
    assert [(v.case.name, v.faults) for v in verdicts if v.faults] == []
    assert trials.restore().code == 0
    assert status(trials) == "200"
