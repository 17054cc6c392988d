"""Reading nftables' rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tinykit_ops.checks.host import HostFacts
from tinykit_ops.checks.model import CannotLook

#: Which kinds of packets a table's family sees.
_FAMILIES = {"IPv4": {"inet", "ip"}, "IPv6": {"inet", "ip6"}}
#: Expressions that restrict nothing.
_HARMLESS = {"counter", "log", "accept"}


def read_ruleset(machine: HostFacts) -> str:
    """What `nft -j list ruleset` prints: the rules as the kernel holds them. Raises CannotLook."""
    result = machine.run("nft", "-j", "list", "ruleset")
    if result.status != 0:
        raise CannotLook(f"`nft list ruleset` failed: {result.complaint}")
    return result.out


def input_policies(ruleset: str) -> dict[str, list[str]]:
    """Which input chains drop by default, for IPv4 and IPv6.

    A chain that accepts everything in one of its own rules does not count, whatever its policy.

    Args:
        ruleset: what `nft -j list ruleset` prints.

    Returns:
        `IPv4` and `IPv6`, each with `family table chain` of the chains that guard it.

    Raises:
        CannotLook: it is no such output.
    """
    try:
        entries: list[Mapping[str, Any]] = json.loads(ruleset)["nftables"]
        chains = [entry["chain"] for entry in entries if "chain" in entry]
        rules = [entry["rule"] for entry in entries if "rule" in entry]
        guards = [chain for chain in chains if _drops(chain) and not _is_holed(chain, rules)]
        return {
            kind: [_name(chain) for chain in guards if chain["family"] in families]
            for kind, families in _FAMILIES.items()
        }
    except (ValueError, KeyError, TypeError) as error:
        raise CannotLook(f"nft's rules cannot be understood ({type(error).__name__})") from None


def opened_to_all(ruleset: str) -> set[int]:
    """The ports that a rule of an input chain names and accepts, whoever asks.

    Args:
        ruleset: what `nft -j list ruleset` prints.

    Raises:
        CannotLook: it is no such output.
    """
    try:
        return set(_opened(json.loads(ruleset)["nftables"]))
    except (ValueError, KeyError, TypeError) as error:
        raise CannotLook(f"nft's rules cannot be understood ({type(error).__name__})") from None


def _opened(entries: list[Mapping[str, Any]]) -> Iterator[int]:
    chains = [entry["chain"] for entry in entries if "chain" in entry]
    inputs = {_place(chain) for chain in chains if chain.get("hook") == "input"}
    for rule in (entry["rule"] for entry in entries if "rule" in entry):
        if _place(rule, "chain") in inputs and "accept" in _words(rule):
            yield from _ports_for_all(rule)


def _ports_for_all(rule: Mapping[str, Any]) -> list[int]:
    """The ports that it matches, when it matches nothing else."""
    matches = [each["match"] for each in rule.get("expr", []) if "match" in each]
    if len(matches) != 1 or matches[0].get("op") != "==":
        return []
    left, right = matches[0]["left"], matches[0]["right"]
    if not isinstance(left, Mapping) or left.get("payload", {}).get("field") != "dport":
        return []
    members = right["set"] if isinstance(right, Mapping) and "set" in right else [right]
    return [port for member in members for port in _range(member)]


def _range(member: Any) -> Iterable[int]:
    if isinstance(member, Mapping):
        low, high = member["range"]
        return range(low, high + 1)
    return [member] if isinstance(member, int) else []


def _drops(chain: Mapping[str, Any]) -> bool:
    return chain.get("hook") == "input" and chain.get("policy") == "drop"


def _is_holed(chain: Mapping[str, Any], rules: list[Mapping[str, Any]]) -> bool:
    return any(_accepts_all(rule) for rule in rules if _place(rule, "chain") == _place(chain))


def _accepts_all(rule: Mapping[str, Any]) -> bool:
    words = _words(rule)
    return "accept" in words and set(words) <= _HARMLESS


def _words(rule: Mapping[str, Any]) -> list[str]:
    return [word for expression in rule.get("expr", []) for word in expression]


def _place(entry: Mapping[str, Any], chain: str = "name") -> tuple[str, str, str]:
    return entry["family"], entry["table"], entry[chain]


def _name(chain: Mapping[str, Any]) -> str:
    return " ".join(_place(chain))
