"""Windows Server Backup: policies, targets, jobs, backup sets, and recovery of virtual machines.

Policies, targets and sets are live objects: a copy that crossed the network is refused by the
binder, as on a host.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from harness.standin import backup, layers, paths
from harness.standin.api import Given, Streams
from harness.standin.backups import BackedUp, BackupJob, BackupSet, Policy, Target
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets import backup_objects as objects
from harness.standin.faults import Refused, reported
from harness.standin.host import Host, now
from harness.standin.machines import MachineError
from harness.standin.values import Record, Value
from harness.standin.world import Vm

T = TypeVar("T")
FAILED = -2139619048  # 0x80780118: a generic failure of WSB


def new_policy(_: Host, __: Given, ___: Streams) -> Iterable[Value]:
    """New-WBPolicy: an empty one."""
    yield objects.policy(Policy())


def new_target(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """New-WBBackupTarget -VolumePath."""
    with reported(given, host.release, streams):
        if "VolumePath" not in given:
            raise Refused("NotSupported", "The stand-in backs up to volumes only.")
        yield objects.target(Target(_volume(host, str(given["VolumePath"]))))


def _volume(host: Host, text: str) -> str:
    volume = text.rstrip("\\").upper()
    if len(volume) != 2 or volume[1] != ":" or not host.local(f"{volume}\\").is_dir():
        raise Refused("InvalidParameter", f"The volume '{text}' was not found.", text)
    return volume


def get_machines(host: Host, given: Given, _: Streams) -> Iterable[Value]:
    """Get-WBVirtualMachine: all VMs of the host, or those of a policy."""
    if "Policy" in given:
        vms = _live(given["Policy"], Policy).vms
    else:
        with host.lock:
            vms = list(host.world.vms.values())
    for vm in sorted(vms, key=lambda vm: vm.name):
        yield objects.machine(vm.name, vm)


def add_machines(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Add-WBVirtualMachine: adds VMs to a policy."""
    with reported(given, host.release, streams):
        policy = _live(given["Policy"], Policy)
        if given.flag("All"):
            policy.vms = list(host.world.vms.values())
        else:
            policy.vms += [_live(record, Vm) for record in _each(given["VirtualMachine"])]
        yield from [objects.machine(vm.name, vm) for vm in policy.vms]


def add_target(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Add-WBBackupTarget: a policy of the stand-in has one."""
    with reported(given, host.release, streams):
        target = _live(given["Target"], Target)
        _live(given["Policy"], Policy).volume = target.volume
        yield objects.target(target)


def set_vss_option(_: Host, given: Given, __: Streams) -> Iterable[Value]:
    """Set-WBVssBackupOption: nothing in the stand-in's guests tells the two kinds apart."""
    _live(given["Policy"], Policy)
    return ()


def start_backup(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Start-WBBackup: returns when it is over, or with -Async when it has begun."""
    with reported(given, host.release, streams):
        policy = _live(given["Policy"], Policy)
        volume = _usable_target(policy)
        vms = list(policy.vms)
        _run(host, given, streams, lambda: backup.make_set(host, volume, vms))
    return ()


def _usable_target(policy: Policy) -> str:
    if not policy.vms:
        raise Refused("OperationFailed", "The backup policy names nothing to back up.")
    if policy.volume is None:
        raise Refused("OperationFailed", "The backup policy has no backup target.")
    for vm in policy.vms:
        for drive in layers.hard_disks(vm.settings):
            if paths.full(drive.path)[:2].upper() == policy.volume:
                raise Refused(
                    "OperationFailed",
                    f"The volume {policy.volume} is the backup target and holds '{drive.path}' of"
                    f" '{vm.name}', which is to be backed up.",
                )
    return policy.volume


def start_recovery(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Start-WBHyperVRecovery -UseAlternateLocation: registers VMs at another place."""
    with reported(given, host.release, streams):
        if not given.flag("UseAlternateLocation") or "TargetPath" not in given:
            raise Refused("NotSupported", "The stand-in restores to another location only.")
        kept = _live(given["BackupSet"], BackupSet)
        copies = [_live(record, BackedUp) for record in _each(given["VMInBackup"])]
        if any(copy not in kept.vms for copy in copies):
            raise Refused("InvalidParameter", "The backup does not hold that virtual machine.")
        target = paths.full(str(given["TargetPath"]))
        recreate = given.flag("RecreatePath")

        def work() -> None:
            for copy in copies:
                backup.restore(host, copy, target, recreate=recreate)

        _run(host, given, streams, work)
    return ()


def _run(host: Host, given: Given, streams: Streams, work: Callable[[], object]) -> None:
    """Do one job; WSB has one at a time. Without -Async wait for its end."""
    with host.lock:
        if any(job.state == "Running" for job in host.world.backups.jobs):
            raise Refused("OperationFailed", "Another backup or recovery operation is in progress.")
        job = BackupJob(now())
        host.world.backups.jobs.append(job)
    thread = threading.Thread(target=_work, args=(job, work), name="backup", daemon=True)
    thread.start()
    if not given.flag("Async"):
        while thread.is_alive():
            streams.check()
            thread.join(0.2)
        if job.state == "Failed":
            raise Refused("OperationFailed", job.error)


def _work(job: BackupJob, work: Callable[[], object]) -> None:
    try:
        work()
    except (Refused, MachineError, OSError) as failed:
        job.result, job.error = FAILED, str(failed)
    job.ended = now()
    job.state = "Failed" if job.error else "Completed"


def get_job(host: Host, given: Given, _: Streams) -> Iterable[Value]:
    """Get-WBJob: the one that runs, or with -Previous the latest ones that are over."""
    with host.lock:
        jobs = list(host.world.backups.jobs)
    count = given.get("Previous")
    if isinstance(count, int):
        over = [job for job in jobs if job.ended]
        yield from [objects.job(one) for one in reversed(over[max(0, len(over) - count) :])]
    else:
        yield from [objects.job(one) for one in jobs if not one.ended]


def get_summary(host: Host, _: Given, __: Streams) -> Iterable[Value]:
    """Get-WBSummary: whether something is going on, and how the last backup ended."""
    with host.lock:
        yield objects.summary(host.world.backups)


def get_sets(host: Host, given: Given, _: Streams) -> Iterable[Value]:
    """Get-WBBackupSet: all, or those on a target."""
    with host.lock:
        sets = list(host.world.backups.sets)
    if "BackupTarget" in given:
        volume = _live(given["BackupTarget"], Target).volume
        sets = [one for one in sets if one.volume == volume]
    yield from [objects.backup_set(one) for one in sets]


def remove_sets(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Remove-WBBackupSet -BackupSet: with its files."""
    with reported(given, host.release, streams):
        if "BackupSet" not in given:
            raise Refused("NotSupported", "The stand-in removes sets that are named only.")
        for record in _each(given["BackupSet"]):
            backup.remove_set(host, _live(record, BackupSet))
    return ()


def _each(value: Value) -> Iterator[Value]:
    yield from value if isinstance(value, list) else (value,)


def _live(record: Value, kind: type[T]) -> T:
    """Return the stand-in's own object behind a record."""
    behind = record.live if isinstance(record, Record) else None
    if not isinstance(behind, kind):
        raise Refused("InvalidParameter", "The object is a copy, or of another kind.")
    return behind


CMDLETS = (
    Cmdlet("New-WBPolicy", new_policy),
    Cmdlet("New-WBBackupTarget", new_target),
    Cmdlet("Get-WBVirtualMachine", get_machines),
    Cmdlet("Add-WBVirtualMachine", add_machines),
    Cmdlet("Add-WBBackupTarget", add_target),
    Cmdlet("Set-WBVssBackupOption", set_vss_option),
    Cmdlet("Start-WBBackup", start_backup),
    Cmdlet("Start-WBHyperVRecovery", start_recovery),
    Cmdlet("Get-WBJob", get_job),
    Cmdlet("Get-WBSummary", get_summary),
    Cmdlet("Get-WBBackupSet", get_sets),
    Cmdlet("Remove-WBBackupSet", remove_sets),
)
