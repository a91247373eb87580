"""More mounts in a guest, made as an administrator would: a data disk, one nobody can freeze."""

from __future__ import annotations

from harness.errors import CommandFailed
from harness.evidence import Evidence
from harness.guest.files import run_or_fail
from harness.guest.scripts import bytes_of
from harness.guest.shell import GuestShell

DATA = "/mnt/hvcert-data"
IMAGE, UNFREEZABLE = "/run/hvcert-unfreezable.squashfs", "/mnt/hvcert-unfreezable"


def mount_xfs(shell: GuestShell, disk: str) -> tuple[Evidence, ...]:
    """Make xfs on a bare disk (``/dev/sdb``) and mount it at DATA."""
    return (
        run_or_fail(shell, ("mkfs.xfs", "-f", disk)),
        run_or_fail(shell, ("mkdir", "-p", DATA)),
        run_or_fail(shell, ("mount", disk, DATA)),
    )


def mount_unfreezable(shell: GuestShell) -> tuple[Evidence, ...]:
    """Mount a squashfs image through a loop device: freezing it is not supported by the kernel."""
    done = shell.run(("tee", IMAGE), privileged=True, stdin=bytes_of("unfreezable.squashfs"))
    if done.exit_status:
        raise CommandFailed(shell.name, done.argv, done.exit_status, done.stderr)
    return (
        run_or_fail(shell, ("mkdir", "-p", UNFREEZABLE)),
        run_or_fail(shell, ("mount", "-t", "squashfs", "-o", "loop,ro", IMAGE, UNFREEZABLE)),
    )
