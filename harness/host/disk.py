"""Data disks of a VM: fixed virtual disks that a case brings along, and what the host says of them.

Sources: Microsoft's pages of New-VHD, Get-VHD, Resize-VHD, Test-VHD, Add-VMHardDiskDrive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from harness.checks.expansion import HostDisk
from harness.errors import EvidenceError, HostRefused
from harness.evidence import Evidence, Measured
from harness.host.command import Cmdlet, Value
from harness.host.refusal import is_binding
from harness.host.session import Attempt, HostSession, Refusal, RefusedBy
from harness.host.vm import Vm
from harness.units import Bytes

WITHIN = timedelta(minutes=20)
"""A fixed disk is written in full when it is made or grown."""

SPACE = "microsoft.vhd.powershell."


@dataclass(frozen=True, slots=True)
class DataDisk:
    """A disk file at its place of a VM; ``controller`` is IDE or SCSI."""

    vm: Vm
    path: str
    controller: str
    number: int
    location: int

    @property
    def session(self) -> HostSession:
        """Return the session to the disk's host."""
        return self.vm.session

    def look(self) -> Measured[HostDisk]:
        """Ask Get-VHD."""
        return look(self.session, self.path)

    def attempt_resize(self, size: Bytes) -> Attempt:
        """Try to give the disk another size; Resize-VHD's own refusal is an answer."""
        return attempt_resize(self.session, self.path, size)

    def good(self) -> Measured[bool]:
        """Ask Test-VHD whether file and chain are valid; its own error is a no."""
        asked = Cmdlet("Test-VHD", {"Path": self.path}, safe_to_repeat=True)
        try:
            answer = self.session.run(asked)
        except HostRefused as refused:
            if not _own(refused, "test-vhd"):
                raise
            return Measured(value=False, evidence=(_said(refused),))
        return Measured(answer.objects == (True,), (answer.evidence,))


def look(session: HostSession, path: str) -> Measured[HostDisk]:
    """Ask Get-VHD about a file."""
    answer = session.run(Cmdlet("Get-VHD", {"Path": path}, safe_to_repeat=True))
    found = answer.one()
    least = found["MinimumSize"]
    minimum = None if least is None else Bytes(found.integer("MinimumSize"))
    disk = HostDisk(Bytes(found.integer("Size")), minimum, found.string("VhdType"))
    return Measured(disk, (answer.evidence,))


def add_fixed(vm: Vm, path: str, size: Bytes, controller: str = "SCSI") -> DataDisk:
    """Make a fixed disk and give it to the VM at the first free place of that controller type."""
    folder = path.rpartition("\\")[0]
    vm.session.run(Cmdlet("New-Item", {"Path": folder, "ItemType": "Directory", "Force": True}))
    new = Cmdlet("New-VHD", {"Path": path, "SizeBytes": size, "Fixed": True})
    vm.session.run(new, within=WITHIN)
    place: dict[str, Value] = {"VMName": vm.name, "ControllerType": controller, "Path": path}
    vm.session.run(Cmdlet("Add-VMHardDiskDrive", place))
    return DataDisk(vm, path, controller, *_place(vm, path))


def _place(vm: Vm, path: str) -> tuple[int, int]:
    """Return where the host attached the file; EvidenceError when it did not."""
    ask = Cmdlet("Get-VMHardDiskDrive", {"VMName": vm.name}, safe_to_repeat=True)
    answer = vm.session.run(ask)
    for drive in answer.records():
        if drive.string("Path").lower() == path.lower():
            return drive.integer("ControllerNumber"), drive.integer("ControllerLocation")
    raise EvidenceError("Get-VMHardDiskDrive", f"drive of {path}", answer.evidence.answer)


def discard(disk: DataDisk) -> None:
    """Take the drive away and delete its file; the VM is turned off first. Twice is no error."""
    vm, session = disk.vm, disk.session
    if vm.state() not in ("Off", "Saved"):
        vm.stop(hard=True)
    drives = Cmdlet("Get-VMHardDiskDrive", {"VMName": vm.name}, safe_to_repeat=True)
    places = [d.string("Path").lower() for d in session.run(drives).records()]
    if disk.path.lower() in places:
        place: dict[str, Value] = {
            "VMName": vm.name,
            "ControllerType": disk.controller,
            "ControllerNumber": disk.number,
            "ControllerLocation": disk.location,
        }
        session.run(Cmdlet("Remove-VMHardDiskDrive", place))
    there = Cmdlet("Test-Path", {"Path": disk.path}, safe_to_repeat=True)
    if session.run(there).objects == (True,):
        session.run(Cmdlet("Remove-Item", {"Path": disk.path, "Force": True}))


def attempt_resize(session: HostSession, path: str, size: Bytes) -> Attempt:
    """Try Resize-VHD on a file; any other trouble than its own refusal is raised."""
    try:
        answer = session.run(Cmdlet("Resize-VHD", {"Path": path, "SizeBytes": size}), within=WITHIN)
    except HostRefused as refused:
        if not _own(refused, "resize-vhd"):
            raise
        by = RefusedBy.BINDING if is_binding(refused.record) else RefusedBy.CMDLET
        return Attempt(Refusal(by, refused.record.fqid), (_said(refused),))
    return Attempt(None, (answer.evidence,))


def _own(refused: HostRefused, cmdlet: str) -> bool:
    """Return whether the cmdlet itself said no.

    Its class is spelt Microsoft.Vhd.PowerShell.Cmdlets.ResizeVhd, on 2012 R2
    Microsoft.Vhd.PowerShell.ResizeVhdCommand; the case of "VHD" differs by cmdlet.
    """
    name = refused.record.fqid.rpartition(",")[2].lower()
    plain = name.removesuffix("command").removeprefix(SPACE).removeprefix("cmdlets.")
    return name.startswith(SPACE) and plain == cmdlet.replace("-", "")


def _said(refused: HostRefused) -> Evidence:
    record = refused.record
    said = (
        f"FullyQualifiedErrorId: {record.fqid}\nCategory: {record.category}\n"
        f"Exception: {record.exception_type}\nMessage: {record.message}"
    )
    return Evidence(refused.command, said, f"host {refused.host}")
