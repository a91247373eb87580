"""Asks a probe's question and reads the answer: the only way to a Measured value."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TypeVar

from harness.errors import CommandFailed
from harness.evidence import Evidence, Measured, Probe
from harness.guest.shell import Completed, GuestShell

T = TypeVar("T")
WITHIN = timedelta(minutes=2)


def measure(shell: GuestShell, probe: Probe[T], *, within: timedelta = WITHIN) -> Measured[T]:
    """Run the probe and parse its stdout.

    Raises CommandFailed for a non-zero exit status (unless the probe says that is fine), and what
    the parser raises: EvidenceError where the answer is not what was asked for.
    """
    done = shell.run(probe.argv, privileged=probe.privileged, within=within)
    if done.exit_status != 0 and not probe.fails_ok:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    return Measured(probe.parse(done.stdout), (as_evidence(shell.name, done),))


def as_evidence(guest: str, done: Completed) -> Evidence:
    """Return a command and its answer; a status other than 0 and stderr stand in the question."""
    asked = shlex.join(done.argv)
    if done.exit_status:
        asked += f"   (exit status {done.exit_status}: {done.stderr.strip()})"
    return Evidence(asked, done.stdout, f"guest {guest}")
