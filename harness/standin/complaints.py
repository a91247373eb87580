"""QEMU's complaints in the stand-in's words: what is wrong, where, and what to do."""

from __future__ import annotations

import re
import socket

from harness.standin.machines import MachineSpec

FORWARD = re.compile(r"Could not set up host forwarding rule 'tcp:([0-9.]+):(\d+)")

KNOWN = (
    (r"Failed to get .*lock[^[]*\[(.+?)\]", "the disk {0} is in use by another machine"),
    (r"Could not open '(.+?)': (.+)", "the disk {0} cannot be opened: {1}"),
    (r"annot lock pid file", "another process already runs this machine"),
    (
        r"cannot set up guest memory|Cannot allocate memory",
        "this computer has not the memory to start it",
    ),
    (r"(.*load of migration failed.*)", "the saved state does not fit it or is damaged: {0}"),
)
"""Pairs: what QEMU says, and the sentence for it."""


def explain(spec: MachineSpec, text: str) -> str:
    """Return a sentence for a complaint that is known, else the text as it is.

    Samples: ``Could not set up host forwarding rule 'tcp:127.0.0.9:22-10.0.2.15:22'``,
    ``Failed to get "write" lock / Is another process using the image [/d/a.vhdx]?``.
    """
    if found := FORWARD.search(text):
        return f"{spec.name}: {_why_not(found[1], int(found[2]))}"
    for pattern, sentence in KNOWN:
        if found := re.search(pattern, text, re.DOTALL):
            return f"{spec.name}: {sentence.format(*found.groups())}"
    return text


def _why_not(address: str, port: int) -> str:
    """Try the port again to learn what QEMU does not tell."""
    try:
        with socket.socket() as trial:
            trial.bind((address, port))
    except PermissionError:
        advice = f"run as root or set the sysctl net.ipv4.ip_unprivileged_port_start={port}"
        return f"this user may not listen at port {port} of {address}; {advice}"
    except OSError:
        return f"port {port} of {address} is taken by another process"
    return f"port {port} of {address} could not be used just now; try again"
