"""Makes sure of the declared preparations of a guest, and says what it did."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import timedelta

from harness.errors import CommandFailed
from harness.evidence import Evidence
from harness.guest.files import read, write
from harness.guest.shell import GuestShell
from harness.inventory.model import Preparation

ACTIVATE_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found and done; ``reboot``: a written change takes effect at the next boot."""

    evidence: tuple[Evidence, ...]
    reboot: bool


def prepare(shell: GuestShell, preparations: tuple[Preparation, ...]) -> Prepared:
    """Compare each file first; write and activate only what differs."""
    proof: list[Evidence] = []
    reboot = False
    for wanted in preparations:
        found = read(shell, wanted.file)
        if found is not None and found.strip() == wanted.content.strip():
            proof.append(Evidence(f"cat {wanted.file}", found, f"guest {shell.name}"))
            continue
        write(shell, wanted.file, wanted.content.rstrip("\n") + "\n")
        proof += [_run(shell, argv) for argv in wanted.activate]
        now = read(shell, wanted.file) or ""
        proof.append(Evidence(f"cat {wanted.file}", now, f"guest {shell.name}"))
        reboot = reboot or wanted.reboot
    return Prepared(tuple(proof), reboot)


def _run(shell: GuestShell, argv: tuple[str, ...]) -> Evidence:
    done = shell.run(argv, privileged=True, within=ACTIVATE_WITHIN)
    if done.exit_status:
        raise CommandFailed(shell.name, argv, done.exit_status, done.stderr)
    return Evidence(shlex.join(argv), done.stdout + done.stderr, f"guest {shell.name}")
