"""Makes sure of a guest's declared preparations, and says what that took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from harness.errors import CommandFailed, EvidenceError
from harness.evidence import Evidence
from harness.guest.files import read_file, write_file
from harness.guest.measure import as_evidence
from harness.guest.shell import GuestShell
from harness.inventory.model import Preparation

ACTIVATE_WITHIN = timedelta(minutes=5)
"""``update-grub`` or ``dracut`` on an emulated guest."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """``changed``: what had to be written; ``reboot``: some of it works from the next boot on."""

    changed: tuple[Preparation, ...]
    reboot: bool
    evidence: tuple[Evidence, ...]


def due(preparations: Iterable[Preparation], case: str) -> tuple[Preparation, ...]:
    """Return the preparations that hold for this case."""
    return tuple(one for one in preparations if not one.cases or case in one.cases)


def prepare(shell: GuestShell, preparations: Iterable[Preparation]) -> Prepared:
    """Write each file that has not its content yet, then activate it.

    Raises CommandFailed when a file cannot be written or activated, EvidenceError when it does
    not read back as written.
    """
    changed: list[Preparation] = []
    evidence: list[Evidence] = []
    for one in preparations:
        found, read = read_file(shell, one.file)
        evidence.append(read)
        if found == one.content:
            continue
        evidence += _make(shell, one)
        changed.append(one)
    return Prepared(tuple(changed), any(one.reboot for one in changed), tuple(evidence))


def _make(shell: GuestShell, wanted: Preparation) -> tuple[Evidence, ...]:
    done = list(write_file(shell, wanted.file, wanted.content))
    found, read = read_file(shell, wanted.file)
    if found != wanted.content:
        raise EvidenceError(f"preparation {wanted.file}", "text that was written", found or "")
    done.append(read)
    for argv in wanted.activate:
        ran = shell.run(argv, privileged=True, within=ACTIVATE_WITHIN)
        if ran.exit_status:
            raise CommandFailed(shell.name, argv, ran.exit_status, ran.stderr)
        done.append(as_evidence(shell.name, ran))
    return tuple(done)
