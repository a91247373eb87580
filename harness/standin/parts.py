"""Pieces of a VM as objects: who they belong to, and what the guest behind them tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.standin.commandline import mac
from harness.standin.host import Host
from harness.standin.machines import GuestReport
from harness.standin.shapes import HYPERV, build
from harness.standin.values import Record, Value
from harness.standin.world import ZERO, Adapter, Settings, Snapshot, Vm

UP = ("Running", "Paused")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a VM or of one of its checkpoints; the ``live`` of every object but the VM's."""

    vm: Vm
    item: object
    snapshot: Snapshot | None = None

    @property
    def settings(self) -> Settings:
        """Return the configuration that the piece belongs to."""
        return self.snapshot.settings if self.snapshot else self.vm.settings


def hardware_address(adapter: Adapter, index: int) -> str:
    """Return what the guest sees as the hardware address of a VM's n-th adapter, from 0.

    A dynamic one is 52:54:00:00:00:01 and so on (the guest image keys its fixed network settings
    on the first), while cmdlets show Hyper-V's kind. A static one is the guest's, too.
    """
    if adapter.dynamic_mac or not adapter.mac:
        return mac(index)
    return ":".join(adapter.mac.lower()[at : at + 2] for at in range(0, 12, 2))


def report_of(host: Host, vm: Vm) -> GuestReport:
    """Return what the guest tells; nothing when it does not run."""
    if vm.state != "Running":
        return GuestReport()
    report = host.machines.guest(vm.id)
    vm.heard = vm.heard or report.heartbeat
    return report


def heartbeat(vm: Vm, report: GuestReport) -> str | None:
    """Return the VMHeartbeatStatus name; None when the VM is not up."""
    if vm.state not in UP:
        return None
    if not vm.settings.services["Heartbeat"]:
        return "Disabled"
    if vm.state == "Paused":
        return "Paused"
    if report.heartbeat:
        return "OkApplicationsUnknown"
    return "LostCommunication" if vm.heard else "NoContact"


def component(
    host: Host, part: Part, short: str, given: Mapping[str, Value], text: str = ""
) -> Record:
    """Build an object that belongs to a VM (or to a checkpoint) and says so in its properties."""
    owner: dict[str, Value] = {
        "VMId": part.vm.id,
        "VMName": part.vm.name,
        "VMSnapshotId": part.snapshot.id if part.snapshot else ZERO,
        "VMSnapshotName": part.snapshot.name if part.snapshot else "",
        **scope(host),
    }
    name = HYPERV + short
    return build(name, host.release, {**owner, **given}, text or name, part)


def scope(host: Host) -> dict[str, Value]:
    """Return the properties by which every object says which host it is of."""
    session = Record(
        ("Microsoft.Management.Infrastructure.CimSession", "System.Object"),
        {"ComputerName": host.name, "Protocol": "WSMAN"},
        "CimSession: .",
    )
    return {"CimSession": session, "ComputerName": host.name, "IsDeleted": False}
