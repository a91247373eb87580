"""Makes a change of a guest's configuration as its family's record says, and puts it back."""

from __future__ import annotations

from datetime import timedelta

from harness.distro.family import Change
from harness.errors import CommandFailed
from harness.evidence import Evidence
from harness.guest.files import write_file
from harness.guest.measure import as_evidence
from harness.guest.shell import GuestShell

WITHIN = timedelta(minutes=10)
"""``update-grub`` or ``dracut`` on an emulated guest."""


def make(shell: GuestShell, change: Change) -> tuple[Evidence, ...]:
    """Write the change's file and make it count; raise CommandFailed when that fails."""
    written = write_file(shell, change.file, change.content) if change.file else ()
    return (*written, *_run(shell, change.activate))


def put_back(shell: GuestShell, change: Change) -> tuple[Evidence, ...]:
    """Undo the change; raise CommandFailed when that fails."""
    return _run(shell, change.undo)


def _run(shell: GuestShell, commands: tuple[tuple[str, ...], ...]) -> tuple[Evidence, ...]:
    done: list[Evidence] = []
    for argv in commands:
        ran = shell.run(argv, privileged=True, within=WITHIN)
        if ran.exit_status:
            raise CommandFailed(shell.name, argv, ran.exit_status, ran.stderr)
        done.append(as_evidence(shell.name, ran))
    return tuple(done)
