"""Faults of live backup in the host: what is copied, when, and what comes back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from harness.deadline import SYSTEM
from harness.standin import layers
from harness.standin.api import Given, Streams
from harness.standin.backup import FOLDER
from harness.standin.backups import BackupJob
from harness.standin.cmdlet import Cmdlet
from harness.standin.host import now
from harness.standin.machines import GuestReport, MachineError, Machines, MachineSpec
from harness.standin.seeded.fault import Fault, Level, tampered
from harness.standin.values import Value

if TYPE_CHECKING:
    from harness.standin.host import Host

Pairs = tuple[tuple[Path, Path], ...]

STANDS_STILL = 15.0
"""Seconds that a guest loses; in its own time nothing happens meanwhile."""


def _switch_without_freezing(host: Host) -> None:
    whole = host.machines

    def production_checkpoint(vm: UUID, overlays: Pairs) -> None:
        memory = host.log_of(vm).with_suffix(".memory")
        whole.checkpoint(vm, memory, overlays)
        memory.unlink(missing_ok=True)

    host.machines = tampered(whole, production_checkpoint=production_checkpoint)


def _copy_without_freezing(host: Host) -> None:
    start = host.machines.start

    def start_unfrozen(spec: MachineSpec, resume_from: Path | None = None) -> None:
        start(replace(spec, frozen_copies=False), resume_from)

    host.machines = tampered(host.machines, start=start_unfrozen)


def _forget_the_saved_state(host: Host) -> None:
    host.rules = replace(host.rules, backup_of_saved_state=False)


def _restore_nothing(host: Host) -> None:
    def body(host: Host, _given: Given, _streams: Streams) -> Iterable[Value]:
        with host.lock:
            host.world.backups.jobs.append(BackupJob(now(), now(), "Completed"))
        return ()

    host.cmdlets["Start-WBHyperVRecovery"] = Cmdlet("Start-WBHyperVRecovery", body)


def _stand_still(host: Host) -> None:
    """Stop the processors of a guest for a while before its disks are copied or switched."""
    whole = host.machines

    def after_a_stop(step: Callable[[UUID, Pairs], None]) -> Callable[[UUID, Pairs], None]:
        def stopped(vm: UUID, pairs: Pairs) -> None:
            whole.pause(vm)
            SYSTEM.sleep(STANDS_STILL)
            whole.resume(vm)
            step(vm, pairs)

        return stopped

    host.machines = tampered(
        whole,
        online_backup=after_a_stop(whole.online_backup),
        production_checkpoint=after_a_stop(whole.production_checkpoint),
    )


def _give_the_first(host: Host) -> None:
    """Copy a guest's disks before its address is told; every later backup is that copy."""
    whole, first = host.machines, dict[UUID, dict[Path, Path]]()

    def guest(vm: UUID) -> GuestReport:
        report = whole.guest(vm)
        if vm in first or not report.addresses:
            return report
        try:
            first[vm] = _first_copy(host, whole, vm)
        except MachineError:  # not yet: its agent is busy
            return replace(report, addresses=())
        return report

    def online_backup(vm: UUID, copies: Pairs) -> None:
        whole.online_backup(vm, copies)
        for disk, file in copies:
            if disk in first.get(vm, {}):
                shutil.copyfile(first[vm][disk], file)

    host.machines = tampered(whole, guest=guest, online_backup=online_backup)


def _first_copy(host: Host, machines: Machines, vm: UUID) -> dict[Path, Path]:
    """Copy a running machine's disks; return them with their copies."""
    disks = [host.local(d.path) for d in layers.hard_disks(host.world.vms[vm].settings)]
    pairs = {
        disk: host.log_of(vm).with_suffix(f".{number}{disk.suffix}")
        for number, disk in enumerate(disks)
    }
    for disk, file in pairs.items():
        file.unlink(missing_ok=True)
        host.disks.create(file, host.disks.info(disk).virtual_size)
    machines.online_backup(vm, tuple(pairs.items()))
    return pairs


def _copy_another(host: Host) -> None:
    """Fill each copy from another disk of the host: the template, whose content is similar."""
    whole = host.machines

    def online_backup(vm: UUID, copies: Pairs) -> None:
        whole.online_backup(vm, copies)
        for disk, file in copies:
            other = _another(host, disk)
            if other is not None:
                file.unlink()
                host.disks.convert(other, file)

    host.machines = tampered(whole, online_backup=online_backup)


def _another(host: Host, disk: Path) -> Path | None:
    """Return a disk of the same size that no VM has: the one that this one was copied from."""
    size = host.disks.info(disk).virtual_size
    used = {
        host.local(drive.path)
        for vm in host.world.vms.values()
        for drive in layers.hard_disks(vm.settings)
    }
    files = sorted(
        path for path in host.files.rglob("*.vhdx") if path not in used and FOLDER not in path.parts
    )
    return next((path for path in files if host.disks.info(path).virtual_size == size), None)


FAULTS = (
    Fault(
        "checkpoint-not-frozen",
        Level.HOST,
        "a production checkpoint switches the disks without asking the guest to freeze",
        "Machines.production_checkpoint",
        _switch_without_freezing,
    ),
    Fault(
        "backup-not-frozen",
        Level.HOST,
        "an online backup copies the disks without asking the guest to freeze",
        "MachineSpec.frozen_copies",
        _copy_without_freezing,
    ),
    Fault(
        "offline-backup-called-online",
        Level.HOST,
        "the backup of a VM that was saved for it forgets the saved state: it comes back Off",
        "Host.rules",
        _forget_the_saved_state,
    ),
    Fault(
        "stale-backup-restored",
        Level.HOST,
        "every backup of a VM holds what was on its disks at its first boot",
        "Machines.guest, Machines.online_backup",
        _give_the_first,
    ),
    Fault(
        "backup-of-wrong-disk",
        Level.HOST,
        "a backup holds the content of another disk of the host",
        "Machines.online_backup",
        _copy_another,
    ),
    Fault(
        "restore-restores-nothing",
        Level.HOST,
        "Start-WBHyperVRecovery reports success and does nothing",
        "Host.cmdlets",
        _restore_nothing,
    ),
    Fault(
        "clock-jumps",
        Level.HOST,
        f"the processors of a guest stand still for {STANDS_STILL:.0f} s when it is backed up",
        "Machines.online_backup, Machines.production_checkpoint",
        _stand_still,
    ),
)
