"""Windows Server Backup as a case sees it: a VM backed up, restored beside itself, looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.backup import inspected, new_disk, writing
from harness.bench import Bench, GuestUnderTest
from harness.checks.backup import judge_backup, judge_online
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.guest.mounts import mount_unfreezable, mount_xfs
from harness.host import server_backup
from harness.host.copies import attach_new, disks_below
from harness.host.lifecycle import disks
from harness.units import GiB
from harness.verdict import Decided, Outcome, Verdict

RESTORED = "restored"
DATA_DISK = 1 * GiB
"""The least that mkfs.xfs takes is 300 MiB (xfsprogs 5.19)."""


def needs_server_backup(bench: Bench) -> str:
    """Return the drive that Windows Server Backup writes to; raise HostError when there is none."""
    paths = tuple(path for path, _ in disks(bench.vm))
    return server_backup.target_for(bench.vm.session, bench.host, paths)


@contextmanager
def backup_turn(bench: Bench) -> Iterator[None]:
    """Hold the host's one place for a backup; what was backed up of the VM is gone afterwards."""
    session = bench.vm.session
    with server_backup.turn(session, bench.host):
        try:
            yield
        finally:
            server_backup.forget_backups(session, bench.vm.name, bench.home)


def backed_up(bench: Bench, volume: str, poll: Callable[[], None]) -> str:
    """Back the VM up by Windows Server Backup; return the VersionId of the set."""
    version, job = server_backup.back_up(bench.vm, bench.home, volume, poll)
    bench.context += job.evidence
    job.check(bench.vm.session, "the backup")
    if not version:
        raise EvidenceError("Get-WBBackupSet", "backup set of this backup", job.evidence[-1].answer)
    return version


def restored(bench: Bench, volume: str, version: str) -> Measured[str]:
    """Restore the VM beside its files; return the restored VM's State.

    A host that reports success and restores nothing fails the case.
    """
    target = bench.folder(RESTORED)
    job = server_backup.recover(bench.vm, volume, version, target)
    bench.context += job.evidence
    job.check(bench.vm.session, "the recovery")
    state = server_backup.restored_state(bench.vm, target)
    if not state.value:
        nothing = "the recovery reported success, and no VM was restored"
        raise Decided(Verdict(Outcome.FAIL, nothing, job.evidence + state.evidence))
    return state


def judge_backup_and_restore(bench: Bench, guest: GuestUnderTest, volume: str) -> Verdict:
    """Back a running VM up, restore it beside itself, look at the copy in another VM; judge all."""
    with backup_turn(bench):
        with writing(bench, guest) as seen, seen.watched():
            version = backed_up(bench, volume, seen.poll)
        bench.stop()
        state = restored(bench, volume, version)
    copied = disks_below(bench.vm, bench.folder(RESTORED))
    with bench.another() as other:
        copy = seen.judge_copy(inspected(other, other.boot(), copied, seen.places))
    return judge_backup(copy.because, judge_online(seen.signs(state)), copy)


def mount_more(bench: Bench, guest: GuestUnderTest) -> None:
    """Give the guest a second disk with xfs on it, and a mount that nobody can freeze."""
    bench.needs_programs("mkfs.xfs")
    path = bench.folder(f"data.{disks(bench.vm)[0][0].rpartition('.')[2]}")
    with new_disk(guest) as name:
        attach_new(bench.vm, path, DATA_DISK)
    bench.context += mount_xfs(guest.shell, name())
    bench.context += mount_unfreezable(guest.shell)
