"""Operations as data: arguments and facts go in, commands come out; no host is needed."""

from types import SimpleNamespace

import pytest


class Host:
    """Knows facts by class, and notes why an operation has nothing to do."""

    def __init__(self, facts, executing):
        self.facts = facts
        self.state = SimpleNamespace(is_executing=executing)
        self.noops = []

    def get_fact(self, fact, **_):
        return self.facts[fact]

    def get_temp_dir_config(self):
        return "/tmp"

    def noop(self, why):
        self.noops.append(why)


@pytest.fixture
def commands(monkeypatch):
    """commands(operation, module, facts, **arguments) → what would run."""

    def run(operation, module, facts, executing=True, **arguments):
        host = Host(facts, executing)
        monkeypatch.setattr(module, "host", host)
        made = list(operation._inner(**arguments))
        assert bool(made) != bool(host.noops), "it does something, or says why not"
        return made

    return run
