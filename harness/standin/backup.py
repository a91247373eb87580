"""Backing up and restoring virtual machines, as Windows Server Backup has Hyper-V do it.

A running guest whose file systems can be frozen is backed up while it runs (online); any other is
saved meanwhile (offline), and comes back Saved.
"""

from __future__ import annotations

import shutil
from copy import deepcopy
from datetime import timedelta
from pathlib import PureWindowsPath
from uuid import uuid4

from harness.standin import layers, lifecycle, paths
from harness.standin.backups import BackedUp, BackupSet
from harness.standin.faults import Refused
from harness.standin.host import Host, now
from harness.standin.machines import CannotFreeze, MachineError
from harness.standin.parts import UP
from harness.standin.world import Vm

FOLDER = "WindowsImageBackup"


def make_set(host: Host, volume: str, vms: list[Vm]) -> BackupSet:
    """Back VMs up to a volume; nothing is left there when one cannot be."""
    kept = _new_set(host, volume)
    try:
        for vm in vms:
            with host.exclusive(vm.id, lambda: None):
                lifecycle.refresh(host, vm)
                kept.vms.append(_back_up(host, vm, kept))
    except BaseException:
        shutil.rmtree(host.local(kept.folder), ignore_errors=True)
        raise
    with host.lock:
        host.world.backups.sets.append(kept)
    return kept


def _new_set(host: Host, volume: str) -> BackupSet:
    """Name a set by its minute, as WSB does; the next free one when several fall into it."""
    taken = {one.version for one in host.world.backups.sets}
    at = now()
    while f"{at:%m/%d/%Y-%H:%M}" in taken:
        at += timedelta(minutes=1)
    folder = f"{volume}\\{FOLDER}\\{host.name}\\Backup {at:%Y-%m-%d %H%M%S}"
    return BackupSet(f"{at:%m/%d/%Y-%H:%M}", at, volume, folder, uuid4())


def _back_up(host: Host, vm: Vm, kept: BackupSet) -> BackedUp:
    copy = BackedUp(vm.id, vm.name, vm.path, deepcopy(vm.settings))
    for drive in layers.hard_disks(vm.settings):
        name = f"{uuid4()}{paths.extension(drive.path).replace('.avhd', '.vhd')}"
        copy.disks[drive.path] = paths.join(kept.folder, str(vm.id), name)
    _refuse_lack_of_room(host, kept.volume, copy)
    if vm.state in UP and not _online(host, vm, copy):
        _offline(host, vm, copy, kept)
    elif vm.state not in UP:
        _at_rest(host, vm, copy, kept)
    return copy


def _refuse_lack_of_room(host: Host, volume: str, copy: BackedUp) -> None:
    needed = sum(_used(host, path) for path in copy.disks)
    free = shutil.disk_usage(host.local(f"{volume}\\")).free
    if needed > free:
        message = f"There is not enough free space on {volume}: {needed} bytes are needed."
        raise Refused("OperationFailed", f"{message} {free} bytes are free.")


def _used(host: Host, path: str) -> int:
    """Return the bytes that the files of a disk's chain take."""
    facts = host.disks.info(host.local(path))
    below = host.windows(facts.parent) if facts.parent else ""
    return facts.file_size + (_used(host, below) if below else 0)


def _online(host: Host, vm: Vm, copy: BackedUp) -> bool:
    """Copy the disks of a running, frozen guest; False where it cannot be frozen."""
    if vm.state != "Running" or not vm.settings.services["VSS"]:
        return False
    pairs = tuple((host.local(disk), host.folder_for(file)) for disk, file in copy.disks.items())
    for disk, file in pairs:
        host.disks.create(file, host.disks.info(disk).virtual_size)
    try:
        host.machines.online_backup(vm.id, pairs)
    except CannotFreeze as cannot:
        for _, file in pairs:
            file.unlink()
        host.record(10150, f"'{vm.name}' is saved for its backup: {cannot}.", vm.id, "Warning")
        return False
    return True


def _offline(host: Host, vm: Vm, copy: BackedUp, kept: BackupSet) -> None:
    paused = vm.state == "Paused"
    lifecycle.save(host, vm)
    try:
        _at_rest(host, vm, copy, kept)
    finally:
        lifecycle.start(host, vm)
        if paused:
            lifecycle.pause(host, vm)


def _at_rest(host: Host, vm: Vm, copy: BackedUp, kept: BackupSet) -> None:
    for disk, file in copy.disks.items():
        host.disks.convert(host.local(disk), host.folder_for(file))
    if vm.saved and host.rules.backup_of_saved_state:
        copy.memory = paths.join(kept.folder, str(vm.id), "state.VMRS")
        host.copy(vm.saved, copy.memory)


def restore(host: Host, copy: BackedUp, target: str, *, recreate: bool) -> Vm:
    """Register a backed up VM with files of its own below ``target``.

    It has the Id of the VM that was backed up, so it takes that one's place; files of that one
    stay where they are.
    """
    vm = Vm(copy.id, copy.name, now(), "", "", deepcopy(copy.settings))
    vm.path = vm.snapshot_path = _place(copy.path, target, recreate=recreate)
    made: list[str] = []
    try:
        for drive in layers.hard_disks(vm.settings):
            place = _place(paths.folder(drive.path), target, recreate=recreate)
            file = copy.disks[drive.path]
            new = paths.join(place, f"{_base(drive.path)}{paths.extension(file)}")
            _refuse_existing(host, new)
            made.append(new)
            host.copy(file, new)
            drive.path = new
        if copy.memory:
            vm.saved = paths.join(vm.path, "Virtual Machines", f"{str(vm.id).upper()}.VMRS")
            made.append(vm.saved)
            host.copy(copy.memory, vm.saved)
            vm.state = "Saved"
    except BaseException:
        for name in made:
            host.remove(name)
        raise
    host.local(vm.path).mkdir(parents=True, exist_ok=True)
    _take_place(host, vm)
    return vm


def _refuse_existing(host: Host, path: str) -> None:
    if host.is_file(path):
        raise Refused("OperationFailed", f"The file '{path}' exists already.", path)


def _take_place(host: Host, vm: Vm) -> None:
    with host.exclusive(vm.id, lambda: None):
        former = host.world.vms.get(vm.id)
        if former and former.state in UP:
            lifecycle.turn_off(host, former)
        with host.lock:
            host.world.vms[vm.id] = vm


def _place(folder: str, target: str, *, recreate: bool) -> str:
    r"""Return where a folder is restored to: ``T``, or ``T\C_\VMs\a`` with its path recreated."""
    if not recreate:
        return target
    found = PureWindowsPath(folder)
    return paths.join(target, f"{found.drive[0]}_", *found.parts[1:])


def _base(path: str) -> str:
    return (
        paths.stem(path).split("_", 1)[0]
        if paths.extension(path).startswith(".avhd")
        else paths.stem(path)
    )


def remove_set(host: Host, kept: BackupSet) -> None:
    """Delete a backup set and its files."""
    with host.lock:
        if kept not in host.world.backups.sets:
            raise Refused("ObjectNotFound", f"There is no backup {kept.version}.", kept.version)
        host.world.backups.sets.remove(kept)
    try:
        shutil.rmtree(host.local(kept.folder))
    except OSError as failed:
        raise MachineError(f"{kept.folder} could not be removed: {failed.strerror}") from failed
