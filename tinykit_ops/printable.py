"""Text of somebody else, made fit for a terminal."""

from __future__ import annotations


def printable(text: str, keep: str = "\n\t") -> str:
    """The same text, with a mark in the place of what could steer a terminal.

    Args:
        text: what a server, a host or a file said.
        keep: characters that are no letters and stay.
    """
    return "".join(each if each.isprintable() or each in keep else "\ufffd" for each in text)
