"""Which disks a VM may get or lose while it runs: those on SCSI, as on a Hyper-V host."""

from __future__ import annotations

from harness.standin.faults import Refused
from harness.standin.host import Host
from harness.standin.lifecycle import disk_of, require, uses
from harness.standin.parts import UP
from harness.standin.world import Drive, Vm


def plug_in(host: Host, vm: Vm, drive: Drive) -> None:
    """Show a new disk to the machine if the VM has one now; refuse one that it has already."""
    if drive.path and uses(vm, drive.path):
        message = f"The disk '{drive.path}' is already connected to '{vm.name}'."
        raise Refused("InvalidParameter", message, drive.path)
    if _needs_machine(vm, drive):
        _refuse_used(host, vm, drive)
        host.machines.attach(vm.id, disk_of(host, drive))


def pull_out(host: Host, vm: Vm, drive: Drive) -> None:
    """Take a disk away from the machine if the VM has one now."""
    if _needs_machine(vm, drive):
        host.machines.detach(vm.id, disk_of(host, drive))


def _needs_machine(vm: Vm, drive: Drive) -> bool:
    if vm.state not in UP:
        require(vm, "Off")
        return False
    if drive.controller != "SCSI":
        require(vm, "Off")
    return bool(drive.path)


def _refuse_used(host: Host, vm: Vm, drive: Drive) -> None:
    """Refuse a file that a VM which is not Off has as its disk."""
    users = (v for v in host.world.vms.values() if v.state != "Off" and uses(v, drive.path))
    user = next(users, None)
    if user:
        raise Refused(
            "ObjectInUse",
            f"Failed to add the device to '{vm.name}'. The virtual disk '{drive.path}' is used by"
            f" '{user.name}'.",
        )
