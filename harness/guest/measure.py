"""Asks a probe's question in a guest; the value comes back with the raw text."""

from __future__ import annotations

import shlex
from typing import TypeVar

from harness.errors import CommandFailed
from harness.evidence import Evidence, Measured, Probe
from harness.guest.shell import GuestShell

T = TypeVar("T")


def measure(shell: GuestShell, probe: Probe[T]) -> Measured[T]:
    """Return the parsed answer; raise CommandFailed, or what the parser raises."""
    done = shell.run(probe.argv, privileged=probe.privileged)
    if done.exit_status and not probe.fails_ok:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    proof = Evidence(shlex.join(probe.argv), done.stdout, f"guest {shell.name}")
    return Measured(probe.parse(done.stdout), (proof,))
