"""Operations as data: arguments and facts go in, commands come out; no host is needed."""

import pytest


class Host:
    """Knows facts by class, and notes why an operation has nothing to do."""

    def __init__(self, facts):
        self.facts = facts
        self.noops = []

    def get_fact(self, fact, **_):
        return self.facts[fact]

    def noop(self, why):
        self.noops.append(why)


@pytest.fixture
def commands(monkeypatch):
    """commands(operation, module, facts, **arguments) → what would run."""

    def run(operation, module, facts, **arguments):
        host = Host(facts)
        monkeypatch.setattr(module, "host", host)
        made = list(operation._inner(**arguments))
        assert bool(made) != bool(host.noops), "it does something, or says why not"
        return made

    return run
