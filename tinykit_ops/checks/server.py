"""What PocketBase's superuser sees of the server, fetched once for all checks."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from tinykit_ops.checks.context import Context
from tinykit_ops.checks.model import CannotLook

Json = dict[str, Any]
_OPTIONS = ("authToken", "oauth2", "otp")
RULES = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")


def settings_of(look: Context) -> Json:
    """PocketBase's own settings. Raises CannotLook."""
    found = look.once("server settings", lambda: look.root.object("/api/settings"))
    if "rateLimits" not in found or "trustedProxy" not in found:
        raise CannotLook("PocketBase's settings cannot be understood")
    if not _is_understood(found):
        raise CannotLook("PocketBase's settings cannot be understood")
    return found


def _is_understood(settings: Json) -> bool:
    """Do the parts that checks read have the types that PocketBase gives them?"""
    limits, trusted = settings["rateLimits"], settings["trustedProxy"]
    if not isinstance(limits, dict) or not isinstance(trusted, dict):
        return False
    lists = [limits.get("excludedIPs"), trusted.get("headers"), settings.get("superuserIPs")]
    rules = limits.get("rules", [])
    return (
        isinstance(rules, list)
        and all(isinstance(rule, dict) for rule in rules)
        and all(each is None or _is_list_of_text(each) for each in lists)
        and not ("excludedIPs" in limits and limits["excludedIPs"] is None)
    )


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def section(look: Context, name: str) -> Json:
    """One section of them. Raises CannotLook when there is none."""
    found = settings_of(look).get(name)
    if not isinstance(found, dict):
        raise CannotLook(f"PocketBase's settings have no section {name}")
    return found


def everywhere(addresses: Iterable[str]) -> list[str]:
    """The networks among these, or that they make up together, which hold every address: of IPv4,
    of IPv6, or none."""
    four: list[IPv4Network] = []
    six: list[IPv6Network] = []
    for each in addresses:
        try:
            network = ip_network(each.strip(), strict=False)
        except ValueError:  # PocketBase takes no such thing
            continue
        four.append(network) if isinstance(network, IPv4Network) else six.append(network)
    together: list[IPv4Network | IPv6Network] = []
    together += collapse_addresses(four)
    together += collapse_addresses(six)
    return [str(network) for network in together if network.prefixlen == 0]


def collections_of(look: Context) -> dict[str, Json]:
    """Every collection by its name. Raises CannotLook."""
    return look.once("collections", lambda: _collections(look))


def collection(look: Context, name: str) -> Json:
    """One collection. Raises CannotLook when there is none."""
    found = collections_of(look).get(name)
    if found is None:
        raise CannotLook(f"PocketBase has no collection {name}")
    return found


def superusers_of(look: Context) -> list[str]:
    """E-mail addresses of all superusers. Raises CannotLook."""
    path = "/api/collections/_superusers/records?perPage=200&fields=email"
    found = look.once("superusers", lambda: look.root.object(path))
    return [str(item.get("email", "")) for item in _items(found, "superusers")]


def field_of(look: Context, name: str, field: str) -> Json:
    """One field of a collection. Raises CannotLook when there is none."""
    for each in collection(look, name).get("fields", []):
        if each.get("name") == field:
            return dict(each)
    raise CannotLook(f"PocketBase's collection {name} has no field {field}")


def _collections(look: Context) -> dict[str, Json]:
    found = look.root.object("/api/collections?perPage=500")
    known = {str(item["name"]): item for item in _items(found, "collections") if "name" in item}
    if not all(map(_has_right_types, known.values())):
        raise CannotLook("PocketBase's list of collections cannot be understood")
    return known


def _has_right_types(collection: Json) -> bool:
    """Have rules, fields and options the types that PocketBase gives them?"""
    fields = collection.get("fields", [])
    return (
        all(isinstance(collection.get(rule), str | None) for rule in RULES)
        and isinstance(fields, list)
        and all(isinstance(field, dict) for field in fields)
        and all(isinstance(collection.get(each), dict | None) for each in _OPTIONS)
    )


def _items(found: Json, what: str) -> list[Json]:
    items, total = found.get("items"), found.get("totalItems")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CannotLook(f"PocketBase's list of {what} cannot be understood")
    if isinstance(total, int) and total > len(items):
        raise CannotLook(f"PocketBase has {total} {what}, more than were looked at")
    return items
