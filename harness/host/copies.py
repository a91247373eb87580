"""Checkpoints of a running VM, their export, and disks attached to look at what was copied."""

from __future__ import annotations

from datetime import timedelta

from harness.checks.backup import CHECKPOINT_VM
from harness.errors import EvidenceError, HostRefused
from harness.evidence import Measured
from harness.host.command import Cmdlet, Value
from harness.host.session import Attempt, HostSession
from harness.host.vm import SLOW, Vm, refusal_of
from harness.units import Bytes

COPY_WITHIN = timedelta(minutes=60)
DISKS = (".vhd", ".vhdx")


def set_production_only(vm: Vm) -> None:
    """Let checkpoints of the VM be production checkpoints or fail (2016 on)."""
    vm.session.run(Cmdlet("Set-VM", {"Name": vm.name, "CheckpointType": "ProductionOnly"}))


def attempt_checkpoint(vm: Vm, name: str) -> Attempt:
    """Try to take a checkpoint; Checkpoint-VM's own refusal is an answer."""
    take = Cmdlet("Checkpoint-VM", {"Name": vm.name, "SnapshotName": name})
    try:
        answer = vm.session.run(take, within=SLOW)
    except HostRefused as refused:
        return refusal_of(refused, CHECKPOINT_VM)
    return Attempt(None, (answer.evidence,))


def checkpoint_state(vm: Vm, name: str) -> Measured[str]:
    """Return a checkpoint's State: Off when it holds no memory."""
    ask = {"VMName": vm.name, "Name": name}
    answer = vm.session.run(Cmdlet("Get-VMSnapshot", ask, safe_to_repeat=True))
    return Measured(answer.one().string("State"), (answer.evidence,))


def checkpoint_names(vm: Vm) -> Measured[tuple[str, ...]]:
    """Return the names of all checkpoints of the VM."""
    answer = vm.session.run(Cmdlet("Get-VMSnapshot", {"VMName": vm.name}, safe_to_repeat=True))
    return Measured(tuple(s.string("Name") for s in answer.records()), (answer.evidence,))


def export_checkpoint(vm: Vm, name: str, folder: str) -> tuple[str, ...]:
    """Export a checkpoint below a folder; return the paths of its disks."""
    make_folder(vm.session, folder)
    given: dict[str, Value] = {"VMName": vm.name, "Name": name, "Path": folder}
    vm.session.run(Cmdlet("Export-VMSnapshot", given), within=COPY_WITHIN)
    return disks_below(vm, folder)


def make_folder(session: HostSession, path: str) -> None:
    """Make a folder on the host; one that is there is fine."""
    session.run(Cmdlet("New-Item", {"Path": path, "ItemType": "Directory", "Force": True}))


def disks_below(vm: Vm, folder: str) -> tuple[str, ...]:
    """Return the paths of all virtual disks below a folder of the host."""
    listing = Cmdlet("Get-ChildItem", {"Path": folder, "Recurse": True}, safe_to_repeat=True)
    answer = vm.session.run(listing)
    names = (entry.string("FullName") for entry in answer.records())
    found = tuple(sorted(name for name in names if name.lower().endswith(DISKS)))
    if not found:
        raise EvidenceError(f"copy in {folder}", "virtual disk", answer.evidence.answer)
    return found


def attach_new(vm: Vm, path: str, size: Bytes) -> None:
    """Give a running VM an empty disk of its own."""
    vm.session.run(Cmdlet("New-VHD", {"Path": path, "SizeBytes": size, "Dynamic": True}))
    _attach(vm, path)


def attach_over(vm: Vm, disk: str, child: str) -> None:
    """Give a running VM a differencing disk over ``disk``, which stays as it is."""
    over: dict[str, Value] = {"Path": child, "ParentPath": disk, "Differencing": True}
    vm.session.run(Cmdlet("New-VHD", over), within=SLOW)
    _attach(vm, child)


def _attach(vm: Vm, path: str) -> None:
    place: dict[str, Value] = {"VMName": vm.name, "ControllerType": "SCSI", "Path": path}
    vm.session.run(Cmdlet("Add-VMHardDiskDrive", place), within=SLOW)
