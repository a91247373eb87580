"""Files in the guest, through commands: no second protocol, and sudo works."""

from __future__ import annotations

from harness.errors import CommandFailed
from harness.evidence import Evidence
from harness.guest.measure import as_evidence
from harness.guest.shell import GuestShell


def read_file(shell: GuestShell, path: str) -> tuple[str | None, Evidence]:
    """Return a file's text, None where there is none; CommandFailed when it is unreadable."""
    done = shell.run(("cat", "--", path), privileged=True)
    if done.exit_status == 0:
        return done.stdout, as_evidence(shell.name, done)
    there = shell.run(("test", "-e", path), privileged=True)
    if there.exit_status == 0:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    return None, as_evidence(shell.name, done)


def write_file(shell: GuestShell, path: str, content: str) -> tuple[Evidence, ...]:
    """Write a file with its folder; owner and mode of a file that is there stay.

    The text goes through ``tee``'s standard input, so no shell ever sees it.
    """
    folder = path.rsplit("/", 1)[0] or "/"
    made = run_or_fail(shell, ("mkdir", "-p", "--", folder))
    done = shell.run(("tee", "--", path), privileged=True, stdin=content.encode())
    if done.exit_status:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    return made, as_evidence(shell.name, done)


def run_or_fail(shell: GuestShell, argv: tuple[str, ...]) -> Evidence:
    """Run a privileged command that has to succeed."""
    done = shell.run(argv, privileged=True)
    if done.exit_status:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    return as_evidence(shell.name, done)
