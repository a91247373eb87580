"""What a host is asked for a recording: every call changes nothing, or only its own hvcert VM."""

from __future__ import annotations

from dataclasses import dataclass

from harness.host.command import Cmdlet, Value
from harness.host.gap import CMDLET_FROM_BUILD, NAMESPACE, REALIZED, SETTINGS
from harness.host.wql import equals, select
from harness.units import MiB

ABSENT = "hvcert-there-is-no-such-name"
DISK, MEMORY = 64 * MiB, 512 * MiB
BEYOND_THE_GAP = 3586 * MiB


@dataclass(frozen=True, slots=True)
class Step:
    """One call. ``since``: the first build that has it; ``ours``: it shows only what we made."""

    name: str
    call: Cmdlet
    since: int = 0
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens: the VM that is made, its folder, and the host's switch."""

    vm: str
    folder: str
    switch: str

    @property
    def disk(self) -> str:
        """The VM's disk."""
        return f"{self.folder}\\disk.vhdx"

    @property
    def data(self) -> str:
        """A second disk."""
        return f"{self.folder}\\data.vhdx"


def steps(place: Place, build: int) -> tuple[Step, ...]:
    """Return the calls in order, but for those that this build does not have."""
    everything = (
        *_of_the_host(place), *_files(place), *_made(place), *_looked_at(place), *_changed(place),
        *_checkpoint(place), *_running(place), *_refused(place), *_removed(place),
    )  # fmt: skip
    return tuple(step for step in everything if build >= step.since)


def _of_the_host(place: Place) -> tuple[Step, ...]:
    system = Cmdlet("Get-CimInstance", {"ClassName": "Win32_OperatingSystem"})
    computer = Cmdlet("Get-CimInstance", {"ClassName": "Win32_ComputerSystem"})
    return (
        Step("operating system", system, ours=False),
        Step("computer", computer, ours=False),
        Step("host", Cmdlet("Get-VMHost"), ours=False),
        Step("switch", Cmdlet("Get-VMSwitch", {"Name": place.switch}), ours=False),
    )


def _files(place: Place) -> tuple[Step, ...]:
    note = f"{place.folder}\\note.txt"
    return (
        Step("folder", Cmdlet("New-Item", {"Path": place.folder, "ItemType": "Directory"})),
        Step("file", Cmdlet("New-Item", {"Path": note, "ItemType": "File", "Value": "a"})),
        Step("file content", Cmdlet("Get-Content", {"Path": note})),
        Step("file is there", Cmdlet("Test-Path", {"Path": note})),
        Step("file hash", Cmdlet("Get-FileHash", {"Path": note, "Algorithm": "SHA256"})),
        Step("folder content", Cmdlet("Get-ChildItem", {"Path": place.folder}), ours=False),
        Step("file gone", Cmdlet("Remove-Item", {"Path": note, "Force": True})),
    )


def _made(place: Place) -> tuple[Step, ...]:
    new_disk: dict[str, Value] = {"Path": place.disk, "SizeBytes": DISK, "Dynamic": True}
    new_vm: dict[str, Value] = {
        "Name": place.vm, "Path": place.folder, "Generation": 1, "MemoryStartupBytes": MEMORY,
        "VHDPath": place.disk, "SwitchName": place.switch,
    }  # fmt: skip
    return (
        Step("new disk", Cmdlet("New-VHD", new_disk)),
        Step("disk", Cmdlet("Get-VHD", {"Path": place.disk})),
        Step("disk is sound", Cmdlet("Test-VHD", {"Path": place.disk})),
        Step("new VM", Cmdlet("New-VM", new_vm)),
    )


def _looked_at(place: Place) -> tuple[Step, ...]:
    vm = place.vm
    settings = select(SETTINGS, equals("ElementName", vm), equals("VirtualSystemType", REALIZED))
    system = select("Msvm_ComputerSystem", equals("ElementName", vm))
    wmi = {"Namespace": NAMESPACE, "Query": settings}
    return (
        Step("VM, off", Cmdlet("Get-VM", {"Name": vm})),
        Step("memory", Cmdlet("Get-VMMemory", {"VMName": vm})),
        Step("processor", Cmdlet("Get-VMProcessor", {"VMName": vm})),
        Step("disk drives", Cmdlet("Get-VMHardDiskDrive", {"VMName": vm})),
        Step("DVD drive", Cmdlet("Get-VMDvdDrive", {"VMName": vm})),
        Step("IDE controllers", Cmdlet("Get-VMIdeController", {"VMName": vm})),
        Step("SCSI controllers", Cmdlet("Get-VMScsiController", {"VMName": vm})),
        Step("network adapter", Cmdlet("Get-VMNetworkAdapter", {"VMName": vm})),
        Step("VLAN", Cmdlet("Get-VMNetworkAdapterVlan", {"VMName": vm})),
        Step("integration services", Cmdlet("Get-VMIntegrationService", {"VMName": vm})),
        Step("serial ports", Cmdlet("Get-VMComPort", {"VMName": vm})),
        Step("BIOS", Cmdlet("Get-VMBios", {"VMName": vm})),
        Step("video", Cmdlet("Get-VMVideo", {"VMName": vm}), since=CMDLET_FROM_BUILD),
        Step("settings by WMI", Cmdlet("Get-CimInstance", wmi)),
        Step("VM by WMI", Cmdlet("Get-CimInstance", {"Namespace": NAMESPACE, "Query": system})),
    )


def _changed(place: Place) -> tuple[Step, ...]:
    vm = place.vm
    second: dict[str, Value] = {"Path": place.data, "SizeBytes": DISK, "Fixed": True}
    added: dict[str, Value] = {"VMName": vm, "ControllerType": "SCSI", "Path": place.data}
    dynamic: dict[str, Value] = {
        "VMName": vm, "DynamicMemoryEnabled": True, "StartupBytes": MEMORY,
        "MinimumBytes": MEMORY, "MaximumBytes": 2 * MEMORY,
    }  # fmt: skip
    gap: dict[str, Value] = {"Name": vm, "LowMemoryMappedIoSpace": 256 * MiB}
    return (
        Step("second disk", Cmdlet("New-VHD", second)),
        Step("disk added", Cmdlet("Add-VMHardDiskDrive", added)),
        Step("disk grown", Cmdlet("Resize-VHD", {"Path": place.data, "SizeBytes": 2 * DISK})),
        Step("disk after", Cmdlet("Get-VHD", {"Path": place.data})),
        Step("dynamic memory set", Cmdlet("Set-VMMemory", dynamic)),
        Step("dynamic memory", Cmdlet("Get-VMMemory", {"VMName": vm})),
        Step("gap set", Cmdlet("Set-VM", gap), since=CMDLET_FROM_BUILD),
        Step("processors set", Cmdlet("Set-VM", {"Name": vm, "ProcessorCount": 2})),
        Step("VM, changed", Cmdlet("Get-VM", {"Name": vm})),
    )


def _checkpoint(place: Place) -> tuple[Step, ...]:
    vm = place.vm
    point: dict[str, Value] = {"VMName": vm, "Name": "hvcert"}
    return (
        Step("checkpoint made", Cmdlet("Checkpoint-VM", {"Name": vm, "SnapshotName": "hvcert"})),
        Step("checkpoint", Cmdlet("Get-VMSnapshot", {"VMName": vm})),
        Step(
            "checkpoint applied",
            Cmdlet("Restore-VMSnapshot", {"VMName": vm, "Name": "hvcert", "Confirm": False}),
        ),
        Step("checkpoint removed", Cmdlet("Remove-VMSnapshot", point)),
    )


def _running(place: Place) -> tuple[Step, ...]:
    vm = place.vm
    return (
        Step("started", Cmdlet("Start-VM", {"Name": vm})),
        Step("VM, running", Cmdlet("Get-VM", {"Name": vm})),
        Step("suspended", Cmdlet("Suspend-VM", {"Name": vm})),
        Step("VM, paused", Cmdlet("Get-VM", {"Name": vm})),
        Step("resumed", Cmdlet("Resume-VM", {"Name": vm})),
        Step("turned off", Cmdlet("Stop-VM", {"Name": vm, "TurnOff": True, "Force": True})),
    )


def _refused(place: Place) -> tuple[Step, ...]:
    gap: dict[str, Value] = {"Name": place.vm, "LowMemoryMappedIoSpace": BEYOND_THE_GAP}
    stopped: dict[str, Value] = {"Name": ABSENT, "Force": True}
    return (
        Step("no such VM", Cmdlet("Get-VM", {"Name": ABSENT})),
        Step("no such VM to start", Cmdlet("Start-VM", {"Name": ABSENT})),
        Step("no such VM to stop", Cmdlet("Stop-VM", stopped)),
        Step("no such VM to change", Cmdlet("Set-VM", {"Name": ABSENT, "Notes": "a"})),
        Step("no such file", Cmdlet("Get-Content", {"Path": f"{place.folder}\\{ABSENT}"})),
        Step("no such disk", Cmdlet("Get-VHD", {"Path": f"{place.folder}\\{ABSENT}.vhdx"})),
        Step("gap out of range", Cmdlet("Set-VM", gap), since=CMDLET_FROM_BUILD),
        Step("paused while off", Cmdlet("Suspend-VM", {"Name": place.vm})),
    )


def _removed(place: Place) -> tuple[Step, ...]:
    return (
        Step("VM removed", Cmdlet("Remove-VM", {"Name": place.vm, "Force": True})),
        Step("VM gone", Cmdlet("Get-VM", {"Name": place.vm})),
    )
