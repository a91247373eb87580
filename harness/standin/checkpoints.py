"""Checkpoints of a VM: taken, applied, removed. Callers hold ``host.exclusive``."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from uuid import uuid4

from harness.standin import layers, paths
from harness.standin.faults import OLD, Refused
from harness.standin.host import Host, now
from harness.standin.lifecycle import require, turn_off
from harness.standin.machines import CannotFreeze
from harness.standin.parts import UP
from harness.standin.world import Ram, Snapshot, Vm


def take(host: Host, vm: Vm, name: str = "") -> Snapshot:
    """Take a checkpoint: disks, settings (the MMIO gap among them) and, unless Off, memory."""
    require(vm, "Off", "Running", "Paused", "Saved")
    _may_take(host, vm)
    snapshot = Snapshot(uuid4(), "", now(), deepcopy(vm.settings), vm.current)
    snapshot.ram = replace(vm.ram)
    snapshot.name = name or f"{vm.name} - ({snapshot.created:%m/%d/%Y - %I:%M:%S %p})"
    overlays = layers.plan(vm.settings)
    if vm.state in UP and _production(host, vm, overlays):
        pass  # without memory: its state is Off
    elif vm.state in UP:
        _live(host, vm, snapshot, overlays)
    else:
        _offline(host, vm, snapshot, overlays)
    layers.switch_to(vm, overlays)
    vm.snapshots[snapshot.id] = snapshot
    vm.current = snapshot.id
    return snapshot


def _may_take(host: Host, vm: Vm) -> None:
    if host.release.build < OLD:  # 2012 R2 has one type of checkpoint
        return
    if vm.settings.checkpoint_type == "Disabled":
        raise Refused("OperationFailed", f"Checkpoints have been disabled for '{vm.name}'.")
    if vm.settings.checkpoint_type == "ProductionOnly" and vm.state in ("Paused", "Saved"):
        raise _no_production(vm, f"the virtual machine is {vm.state}")


def _production(host: Host, vm: Vm, overlays: dict[str, str]) -> bool:
    """Switch the disks of a frozen guest; False where a standard checkpoint has to do."""
    kind = vm.settings.checkpoint_type
    if host.release.build < OLD or kind == "Standard":
        return False
    pairs = tuple((host.local(old), host.local(new)) for old, new in overlays.items())
    try:
        if vm.state == "Paused" or not vm.settings.services["VSS"]:
            raise CannotFreeze("its backup integration service is not available")  # noqa: TRY301
        host.machines.production_checkpoint(vm.id, pairs)
    except CannotFreeze as cannot:
        if kind == "ProductionOnly":
            raise _no_production(vm, str(cannot)) from cannot
        host.record(18590, f"'{vm.name}': a standard checkpoint is taken: {cannot}.", vm.id)
        return False
    return True


def _no_production(vm: Vm, why: str) -> Refused:
    return Refused(
        "OperationFailed",
        f"Checkpoint operation failed. Production checkpoints cannot be created for '{vm.name}':"
        f" {why}.",
    )


def _memory_file(vm: Vm, snapshot: Snapshot) -> str:
    return paths.join(vm.snapshot_path, "Snapshots", f"{str(snapshot.id).upper()}.VMRS")


def _live(host: Host, vm: Vm, snapshot: Snapshot, overlays: dict[str, str]) -> None:
    snapshot.memory = _memory_file(vm, snapshot)
    pairs = tuple((host.local(old), host.local(new)) for old, new in overlays.items())
    try:
        host.machines.checkpoint(vm.id, host.folder_for(snapshot.memory), pairs)
    except BaseException:
        host.remove(snapshot.memory)
        raise


def _offline(host: Host, vm: Vm, snapshot: Snapshot, overlays: dict[str, str]) -> None:
    if vm.saved:
        snapshot.memory = _memory_file(vm, snapshot)
        host.copy(vm.saved, snapshot.memory)
    layers.create(host, overlays)


def apply(host: Host, vm: Vm, snapshot: Snapshot) -> None:
    """Go back to a checkpoint: "now" is lost. The VM is then Off, or Saved with its memory."""
    require(vm, "Off", "Running", "Paused", "Saved")
    settings = deepcopy(snapshot.settings)
    overlays = layers.plan(settings)
    layers.create(host, overlays)
    saved = None
    try:
        if snapshot.memory:
            saved = paths.join(vm.path, "Virtual Machines", f"{str(vm.id).upper()}.VMRS")
            host.copy(snapshot.memory, saved)
        if vm.state in ("Running", "Paused"):
            turn_off(host, vm)
    except BaseException:
        layers.drop(host, overlays)
        raise
    if vm.saved and not saved:
        host.remove(vm.saved)
    vm.settings, vm.saved, vm.current = settings, saved, snapshot.id
    vm.ram = replace(snapshot.ram, demand=0) if saved else Ram()
    layers.switch_to(vm, overlays)
    vm.state, vm.heard, vm.changed = "Saved" if saved else "Off", False, now()
    layers.collapse(host, vm)


def remove(host: Host, vm: Vm, snapshot: Snapshot) -> None:
    """Remove a checkpoint: what descends from it hangs on its parent; its disks are merged."""
    if vm.snapshots.pop(snapshot.id, None) is None:
        return
    for other in vm.snapshots.values():
        if other.parent == snapshot.id:
            other.parent = snapshot.parent
    if vm.current == snapshot.id:
        vm.current = snapshot.parent
    if snapshot.memory:
        host.remove(snapshot.memory)
    layers.collapse(host, vm)


def descendants(vm: Vm, snapshot: Snapshot) -> list[Snapshot]:
    """Return the checkpoint and all below it, the deepest first."""
    below = [s for s in vm.snapshots.values() if s.parent == snapshot.id]
    return [d for s in below for d in descendants(vm, s)] + [snapshot]


def remove_all(host: Host, vm: Vm) -> None:
    """Remove every checkpoint of a VM."""
    for snapshot in list(vm.snapshots.values()):
        remove(host, vm, snapshot)
