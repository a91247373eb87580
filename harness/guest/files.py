"""Files of a guest, read and written through argv."""

from __future__ import annotations

from datetime import timedelta

from harness.errors import CommandFailed
from harness.guest.shell import GuestShell

QUICK = timedelta(seconds=60)


def read(shell: GuestShell, path: str) -> str | None:
    """Return a file's text, None where there is no such file."""
    if shell.run(("test", "-e", path), privileged=True, within=QUICK).exit_status:
        return None
    done = shell.run(("cat", "--", path), privileged=True, within=QUICK)
    if done.exit_status:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    return done.stdout


def write(shell: GuestShell, path: str, content: str) -> None:
    """Write a file (settings under /proc/sys, too); raise CommandFailed when it cannot be."""
    done = shell.run(("tee", "--", path), privileged=True, stdin=content.encode(), within=QUICK)
    if done.exit_status:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
