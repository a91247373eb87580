"""QEMU's complaints in the stand-in's words: what is wrong, where, and what to do."""

from __future__ import annotations

import re
import socket

from harness.standin.machines import MachineSpec

FORWARD = re.compile(r"Could not set up host forwarding rule 'tcp:([0-9.]+):(\d+)")
LOCKED = re.compile(
    r"Failed to get .*lock.*?Is another process using the image \[(.+?)\]", re.DOTALL
)

UNOPENED = re.compile(r"Could not open '(.+?)': (.+)")


def explain(spec: MachineSpec, text: str) -> str:
    """Return a sentence for a complaint that is known, else the text as it is.

    Samples: ``Could not set up host forwarding rule 'tcp:127.0.0.9:22-10.0.2.15:22'``,
    ``Failed to get "write" lock / Is another process using the image [/d/a.vhdx]?``.
    """
    if found := FORWARD.search(text):
        return f"{spec.name}: {_why_not(found[1], int(found[2]))}"
    if found := LOCKED.search(text):
        return f"{spec.name}: the disk {found[1]} is in use by another machine"
    if found := UNOPENED.search(text):
        return f"{spec.name}: the disk {found[1]} cannot be opened: {found[2]}"
    if "annot lock pid file" in text:
        return f"{spec.name}: another process already runs this machine"
    if "cannot set up guest memory" in text or "Cannot allocate memory" in text:
        return (
            f"{spec.name}: this machine has not the {spec.memory >> 20} MiB of memory to start it"
        )
    if "load of migration failed" in text:
        return f"{spec.name}: the saved state does not fit the machine or is damaged: {text}"
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
