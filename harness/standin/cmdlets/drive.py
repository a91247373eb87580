"""Hard disk drives, DVD drives and the controllers that they hang on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast
from uuid import uuid4

from harness.standin import devices, hotdisk, paths
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import Source, each, locked, number, parts, sources, vms
from harness.standin.faults import Refused, reported
from harness.standin.host import Host
from harness.standin.lifecycle import require
from harness.standin.parts import UP, Part
from harness.standin.values import Record, Value
from harness.standin.world import Drive, Vm

SLOTS = {"IDE": (2, 2), "SCSI": (4, 64)}  # controllers, locations on each
KEPT = {
    "MaximumIOPS": "MaximumIOPS",
    "MinimumIOPS": "MinimumIOPS",
    "SupportPersistentReservations": "SupportPersistentReservations",
    "OverrideCacheAttributes": "WriteHardeningMethod",
}
Place = tuple[str | None, int | None, int | None]


def _place(given: Given, prefix: str = "") -> Place:
    """Return controller type, number and location; an object of a controller gives two of them."""
    controllers = given.get("VMDriveController")
    first = controllers[0] if isinstance(controllers, list) and controllers else controllers
    if isinstance(first, Record) and isinstance(first.live, Part):
        kind = "IDE" if "VMIdeController" in first.type_names[0] else "SCSI"
        return kind, cast(int, first.live.item), number(given, "ControllerLocation")
    kind_given = given.get(f"{prefix}ControllerType")
    return (
        str(kind_given) if kind_given is not None else None,
        number(given, f"{prefix}ControllerNumber"),
        number(given, f"{prefix}ControllerLocation"),
    )


def _fits(drive: Drive, place: Place) -> bool:
    return all(w is None or w == have for w, have in zip(place, drive.place, strict=True))


def _drives(
    host: Host, given: Given, streams: Streams, *, dvd: bool
) -> Iterator[tuple[Source, Drive]]:
    """Yield the drives that a Get cmdlet names; of controllers when those were piped in."""
    if "VMDriveController" in given:
        found: Iterator[Source] = (
            Source(p.vm, p.snapshot) for p in parts(host, given, streams, "VMDriveController")
        )
    else:
        found = sources(host, given, streams)
    place = _place(given)
    for source in found:
        for drive in sorted(source.settings.drives, key=lambda d: d.place):
            if drive.dvd == dvd and _fits(drive, place):
                yield source, drive


def get_hard_disk(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMHardDiskDrive."""
    for source, drive in _drives(host, given, streams, dvd=False):
        yield devices.drive(host, Part(source.vm, drive, source.snapshot))


def get_dvd(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMDvdDrive."""
    for source, drive in _drives(host, given, streams, dvd=True):
        yield devices.drive(host, Part(source.vm, drive, source.snapshot))


def add_hard_disk(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Add-VMHardDiskDrive: at the place that is given, or the first free one.

    A running VM takes disks on its SCSI controllers only.
    """

    def act(vm: Vm) -> list[Value]:
        if "DiskNumber" in given:
            raise Refused("NotSupported", "The stand-in host has no physical disks.")
        path = _disk_file(host, given["Path"]) if "Path" in given else ""
        place = _place(given)
        if vm.state in UP and place[0] is None:
            place = ("SCSI", *place[1:])
        drive = Drive(path, *_free(vm, place), uuid4())
        drive.extra.update({KEPT[n]: given[n] for n in KEPT if n in given})
        hotdisk.plug_in(host, vm, drive)
        vm.settings.drives.append(drive)
        return [devices.drive(host, Part(vm, drive))] if given.flag("Passthru") else []

    if "VMDriveController" in given:
        for part in parts(host, given, streams, "VMDriveController"):
            with reported(given, host.release, streams):
                yield from locked(host, part.vm, given, streams, act)
    else:
        yield from each(host, given, streams, act)


def _disk_file(host: Host, value: Value) -> str:
    path = paths.full(str(value))
    if not host.is_file(path):
        message = f"Failed to add the device: the file '{path}' was not found."
        raise Refused("InvalidParameter", message, path)
    return path


def _free(vm: Vm, place: Place) -> tuple[str, int, int]:
    """Return the first free place that fits what was asked for: IDE before SCSI."""
    taken = {d.place for d in vm.settings.drives}
    for spot in _spots(vm):
        fits = all(w is None or w == have for w, have in zip(place, spot, strict=True))
        if fits and spot not in taken:
            return spot
    asked = " ".join(str(p) for p in place if p is not None) or "any place"
    raise Refused(
        "InvalidParameter",
        f"'{vm.name}' has no free place at {asked}: it is taken, or there is no such controller.",
    )


def _spots(vm: Vm) -> Iterator[tuple[str, int, int]]:
    for kind, numbers in (("IDE", range(SLOTS["IDE"][0])), ("SCSI", vm.settings.scsi)):
        for n in numbers:
            for location in range(SLOTS[kind][1]):
                yield kind, n, location


def _targets(host: Host, given: Given, streams: Streams) -> Iterator[tuple[Vm, Place]]:
    if "VMHardDiskDrive" in given:
        for part in parts(host, given, streams, "VMHardDiskDrive"):
            yield part.vm, cast(Drive, part.item).place
        return
    for vm in vms(host, given, streams):
        yield vm, _place(given)


def _one(vm: Vm, place: Place) -> Drive:
    found = [d for d in vm.settings.drives if not d.dvd and _fits(d, place)]
    if len(found) != 1:
        at = " ".join(str(p) for p in place if p is not None)
        message = f"'{vm.name}' has no hard disk drive at {at}."
        raise Refused("InvalidParameter", message, vm.name)
    return found[0]


def set_hard_disk(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMHardDiskDrive: another file, another place. VM Off."""
    for vm, place in list(_targets(host, given, streams)):
        with reported(given, host.release, streams):

            def act(vm: Vm, place: Place = place) -> list[Value]:
                require(vm, "Off")
                drive = _moved(host, given, vm, _one(vm, place))
                return [devices.drive(host, Part(vm, drive))] if given.flag("Passthru") else []

            yield from locked(host, vm, given, streams, act)


def _moved(host: Host, given: Given, vm: Vm, drive: Drive) -> Drive:
    new = replace(drive)
    if "Path" in given:
        new.path = _disk_file(host, given["Path"])
    target = _place(given, "To")
    if target != (None, None, None):
        wanted = [t if t is not None else h for t, h in zip(target, drive.place, strict=True)]
        asked = cast(Place, tuple(wanted))
        if asked != drive.place:
            new.controller, new.number, new.location = _free(vm, asked)
    new.extra = {**drive.extra, **{KEPT[n]: given[n] for n in KEPT if n in given}}
    vm.settings.drives[vm.settings.drives.index(drive)] = new
    return new


def remove_hard_disk(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Remove-VMHardDiskDrive: the file stays. Of a running VM only a SCSI disk."""
    for vm, place in list(_targets(host, given, streams)):
        with reported(given, host.release, streams):

            def act(vm: Vm, place: Place = place) -> list[Value]:
                drive = _one(vm, place)
                hotdisk.pull_out(host, vm, drive)
                vm.settings.drives.remove(drive)
                return [devices.drive(host, Part(vm, drive))] if given.flag("Passthru") else []

            yield from locked(host, vm, given, streams, act)


def get_ide(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMIdeController."""
    wanted = number(given, "ControllerNumber")
    for source in sources(host, given, streams):
        for n in range(SLOTS["IDE"][0]):
            if wanted in (None, n):
                yield devices.controller(host, Part(source.vm, n, source.snapshot), "IDE")


def get_scsi(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMScsiController."""
    wanted = number(given, "ControllerNumber")
    for source in sources(host, given, streams):
        for n in source.settings.scsi:
            if wanted in (None, n):
                yield devices.controller(host, Part(source.vm, n, source.snapshot), "SCSI")


def add_scsi(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Add-VMScsiController: four at most. VM Off."""

    def act(vm: Vm) -> list[Value]:
        require(vm, "Off")
        free = [n for n in range(SLOTS["SCSI"][0]) if n not in vm.settings.scsi]
        if not free:
            raise Refused("InvalidParameter", f"'{vm.name}' has four SCSI controllers already.")
        vm.settings.scsi = sorted([*vm.settings.scsi, free[0]])
        made = devices.controller(host, Part(vm, free[0]), "SCSI")
        return [made] if given.flag("Passthru") else []

    return each(host, given, streams, act)


CMDLETS = (
    Cmdlet("Get-VMHardDiskDrive", get_hard_disk),
    Cmdlet("Add-VMHardDiskDrive", add_hard_disk),
    Cmdlet("Set-VMHardDiskDrive", set_hard_disk),
    Cmdlet("Remove-VMHardDiskDrive", remove_hard_disk),
    Cmdlet("Get-VMDvdDrive", get_dvd),
    Cmdlet("Get-VMIdeController", get_ide),
    Cmdlet("Get-VMScsiController", get_scsi),
    Cmdlet("Add-VMScsiController", add_scsi),
)
