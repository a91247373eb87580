"""Windows Server Backup of one VM: where it can go, the job followed to its end, and its removal.

A host has one backup or recovery at a time, so runs take turns. What is made is remembered in the
VM's folder before it is made, so that a later run removes it after a kill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from harness.deadline import wait_for
from harness.errors import EvidenceError, HostError, HostRefused
from harness.evidence import Evidence, Measured
from harness.host.command import Cmdlet, FixedScript, Value
from harness.host.copies import make_folder
from harness.host.session import HostObject, HostSession
from harness.host.vm import Vm
from harness.inventory.model import Host
from harness.inventory.values import is_unc
from harness.units import Bytes, GiB

SCRIPT_WITHIN = timedelta(minutes=10)
JOB_WITHIN = timedelta(hours=2)
TURN_WITHIN = timedelta(hours=2)
POLL = timedelta(seconds=2)
MARKER = "backup-volume.txt"
TURN = "hvcert.backup"
MISSING = "CommandNotFoundException"
IDLE = "NoOperationInProgress"
ROOM = 2 * GiB
"""Beside the size of the VM's disks: the catalog, and what the guest writes meanwhile."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a host cannot back VMs up, and what to do about it: the same words everywhere."""

    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A local drive: ``letter`` as in ``E:``."""

    letter: str
    free: Bytes


NO_FEATURE = Unfit(
    "the feature Windows Server Backup is not installed",
    "on the host: Install-WindowsFeature Windows-Server-Backup",
)
ON_SHARE = Unfit(
    "VM disks lie on a share, which Windows Server Backup does not back up",
    "give the host a vm_path on a local drive",
)


def volumes(answer: tuple[HostObject, ...]) -> tuple[Volume, ...]:
    """Read Win32_LogicalDisk: the local fixed drives (DriveType 3)."""
    fixed = (disk for disk in answer if disk.integer("DriveType") == 3)
    return tuple(Volume(d.string("DeviceID").upper(), Bytes(d.integer("FreeSpace"))) for d in fixed)


def choose(host: Host, found: tuple[Volume, ...], needed: Bytes) -> Volume | Unfit:
    """Choose where backups go: the inventory's ``backup_target``, else the emptiest drive.

    Never the drive of the VMs, and unless the inventory says so not the system's (C:).
    """
    if is_unc(host.vm_path):
        return ON_SHARE
    own, wanted = host.vm_path[:2].upper(), host.backup_target.upper()
    others = [v for v in found if v.letter != own and (v.letter == wanted or not wanted)]
    if not wanted:
        others = [v for v in others if v.letter != "C:"]
    if not others:
        said = (
            f"backup_target {wanted} is no local drive of the host, or the one of the VMs ({own})"
            if wanted
            else f"the host has no drive for backups beside {own}, where the VMs are"
        )
        return Unfit(
            said,
            "attach a volume with an NTFS file system and name it in backup_target",
        )
    best = max(others, key=lambda volume: volume.free)
    if best.free < needed:
        said = f"{best.letter} has {best.free // GiB} GiB free, {needed // GiB + 1} GiB are needed"
        return Unfit(said, "free some space there, or name another drive in backup_target")
    return best


def target_for(session: HostSession, host: Host, disks: tuple[str, ...]) -> str:
    """Return the drive that backups of these disks go to; raise HostError with the reason."""
    try:
        session.run(Cmdlet("Get-WBSummary", safe_to_repeat=True))
    except HostRefused as refused:
        if refused.record.fqid.split(",")[0] == MISSING:
            raise HostError(session.name, NO_FEATURE.what, NO_FEATURE.advice) from None
        raise
    needed = ROOM
    for path in disks:
        look = session.run(Cmdlet("Get-VHD", {"Path": path}, safe_to_repeat=True)).one()
        needed += Bytes(look.integer("FileSize"))
    drives = Cmdlet("Get-CimInstance", {"ClassName": "Win32_LogicalDisk"}, safe_to_repeat=True)
    chosen = choose(host, volumes(tuple(session.run(drives).records())), needed)
    if isinstance(chosen, Unfit):
        raise HostError(session.name, chosen.what, chosen.advice)
    return chosen.letter


@contextmanager
def turn(session: HostSession, host: Host) -> Iterator[None]:
    """Hold this host's one place for a backup inside the block; wait for it."""
    path = f"{host.vm_path}\\{TURN}"

    def taken() -> bool | None:
        try:
            session.run(Cmdlet("New-Item", {"Path": path, "ItemType": "File"}))
        except HostRefused as refused:
            if refused.record.fqid.startswith("NewItemIOError,"):
                return None
            raise
        return True

    wait_for(f"the end of another case's backup on {host.name}", taken, TURN_WITHIN, every=POLL)
    try:
        yield
    finally:
        release_turn(session, host)


def release_turn(session: HostSession, host: Host) -> None:
    """Give the place back; also one that a dead run held (the caller has the host's lease)."""
    path = {"Path": f"{host.vm_path}\\{TURN}"}
    if session.run(Cmdlet("Test-Path", path, safe_to_repeat=True)).objects == (True,):
        session.run(Cmdlet("Remove-Item", {**path, "Force": True}))


def back_up(vm: Vm, folder: str, volume: str, poll: Callable[[], None]) -> tuple[str, Job]:
    """Back the VM up to a volume; return the new set's VersionId and the job as it ended.

    ``folder`` is the VM's own: the volume is written down there first. ``poll`` is called while
    the job runs. The VersionId is "" when the job made no set.
    """
    note: dict[str, Value] = {"Path": f"{folder}\\{MARKER}", "Value": volume}
    vm.session.run(Cmdlet("New-Item", {**note, "ItemType": "File", "Force": True}))
    known = _versions(vm.session)
    begin = FixedScript("start-backup", {"VMName": vm.name, "VolumePath": volume})
    job = _follow(vm.session, begin, poll)
    new = [version for version in _versions(vm.session) if version not in known]
    return (new[-1] if new else ""), job


def recover(vm: Vm, volume: str, version: str, target: str) -> Job:
    """Restore the VM of a backup below a folder of the host; return the job as it ended."""
    make_folder(vm.session, target)
    given = {"VMName": vm.name, "VolumePath": volume, "VersionId": version, "TargetPath": target}
    return _follow(vm.session, FixedScript("recover-vm", given), lambda: None)


@dataclass(frozen=True, slots=True)
class Job:
    """How a job ended: JobState's name and the HResult (0 is success)."""

    state: str
    result: int
    evidence: tuple[Evidence, ...]

    def check(self, session: HostSession, what: str) -> None:
        """Raise HostError unless it completed."""
        if self.state != "Completed" or self.result:
            said = f"{what} ended {self.state}, HResult {self.result & 0xFFFFFFFF:#010x}"
            raise HostError(session.name, said, "see the host's Windows Server Backup log")


def _follow(session: HostSession, begin: FixedScript, poll: Callable[[], None]) -> Job:
    before = _latest(session)
    started = session.run(begin, within=SCRIPT_WITHIN)

    def over() -> HostObject | None:
        poll()
        summary = session.run(Cmdlet("Get-WBSummary", safe_to_repeat=True)).one()
        if summary.string("CurrentOperationStatus") != IDLE:
            return None
        last = _latest(session)
        return last if last is not None and last != before else None

    last = wait_for(f"the end of {begin.name} on {session.name}", over, JOB_WITHIN, every=POLL)
    shown = "\n".join(f"{name}: {last.string(name)}" for name in ("JobState", "HResult"))
    proof = Evidence("Get-WBJob -Previous 1", shown, f"host {session.name}")
    return Job(last.string("JobState"), last.integer("HResult"), (started.evidence, proof))


def _latest(session: HostSession) -> HostObject | None:
    ask = Cmdlet("Get-WBJob", {"Previous": 1}, safe_to_repeat=True)
    return next(iter(session.run(ask).records()), None)


def _versions(session: HostSession) -> list[str]:
    answer = session.run(Cmdlet("Get-WBBackupSet", safe_to_repeat=True))
    return [one.string("VersionId") for one in answer.records()]


def restored_state(vm: Vm, target: str) -> Measured[str]:
    """Return the State of the VM of that name whose configuration lies below ``target``.

    "" where there is none; EvidenceError where there are several.
    """
    answer = vm.look()
    below = [
        found
        for found in answer.records()
        if found.string("Path").lower().startswith(target.lower())
    ]
    if len(below) > 1:
        said = f"single restored VM below {target} ({len(below)} are there)"
        raise EvidenceError("Get-VM", said, answer.evidence.answer)
    return Measured("".join(found.string("State") for found in below), (answer.evidence,))


def forget_backups(session: HostSession, name: str, folder: str) -> tuple[str, ...]:
    """Remove the backups of a VM of ours, as its folder remembers them; return their VersionIds."""
    marker = {"Path": f"{folder}\\{MARKER}"}
    there = session.run(Cmdlet("Test-Path", marker, safe_to_repeat=True))
    if there.objects != (True,):
        return ()
    text = session.run(Cmdlet("Get-Content", marker, safe_to_repeat=True))
    volume = "".join(str(line) for line in text.objects).strip()
    remove = FixedScript("remove-backups", {"VMName": name, "VolumePath": volume})
    gone = session.run(remove, within=SCRIPT_WITHIN)
    session.run(Cmdlet("Remove-Item", {**marker, "Force": True}))
    return tuple(str(version) for version in gone.objects)
