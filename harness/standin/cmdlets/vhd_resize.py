"""Resize-VHD: what a host makes larger, running or not, and what it refuses.

While a VM runs a host grows only a .vhdx on a SCSI controller (Microsoft: "Online Virtual Hard
Disk Resizing"); a .vhd is never made smaller, a parent of other disks is not touched.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.standin import layers, paths
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import number, texts
from harness.standin.cmdlets.vhd import FORMATS, virtual_disk
from harness.standin.faults import Refused, reported
from harness.standin.host import Host
from harness.standin.lifecycle import disk_of, refresh
from harness.standin.values import Value
from harness.standin.world import Drive, Vm

SECTOR = 512


def resize_vhd(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Resize-VHD: growing only; online for a .vhdx on SCSI."""
    for path in texts(given.get("Path")):
        with reported(given, host.release, streams):
            full = paths.full(path)
            if not host.is_file(full):
                raise Refused("ObjectNotFound", f"'{path}' was not found.", path)
            _resize(host, full, number(given, "SizeBytes"), streams)
            if given.flag("Passthru"):
                yield virtual_disk(host, full)


def _resize(host: Host, path: str, size: int | None, streams: Streams) -> None:
    user = _user(host, path)
    if user is None:
        _refuse_size(host, path, size)
        _refuse_parent(host, path)
        host.disks.resize(host.local(path), size or 0)
        return
    with host.exclusive(user.id, streams.check):
        refresh(host, user)
        _online(host, user, path, size)


def _user(host: Host, path: str) -> Vm | None:
    """Return the VM that uses the file, as its disk or below it."""
    for vm in list(host.world.vms.values()):
        if vm.state != "Off" and (_drive(vm, path) or _below(vm, path)):
            return vm
    return None


def _drive(vm: Vm, path: str) -> Drive | None:
    return next((d for d in layers.hard_disks(vm.settings) if paths.same(d.path, path)), None)


def _below(vm: Vm, path: str) -> bool:
    return any(paths.same(below, path) for below in vm.layers.values())


def _online(host: Host, vm: Vm, path: str, size: int | None) -> None:
    drive = _drive(vm, path)
    if drive is None or vm.state != "Running":
        raise Refused("ObjectInUse", f"'{path}' is used by the virtual machine '{vm.name}'.", path)
    if FORMATS.get(paths.extension(path)) != "VHDX" or drive.controller != "SCSI":
        message = f"The system failed to resize '{path}'. The operation is not supported."
        raise Refused("NotSupported", message, path)
    _refuse_size(host, path, size)
    _refuse_parent(host, path)
    spec = disk_of(host, drive)
    if spec.format == "raw":
        host.disks.resize(host.local(path), size or 0)
    host.machines.grow(vm.id, spec, size or 0)


def _refuse_size(host: Host, path: str, size: int | None) -> None:
    shown = virtual_disk(host, path).properties
    now, least = shown["Size"], shown["MinimumSize"]
    if size is None or size % SECTOR or size <= 0:
        raise Refused("InvalidParameter", f"{size} bytes is no valid size of a virtual disk.", path)
    if not isinstance(now, int) or size >= now:
        return
    if FORMATS.get(paths.extension(path)) == "VHD":
        message = f"The system failed to resize '{path}'. The operation is not supported."
        raise Refused("NotSupported", message, path)
    if isinstance(least, int) and size < least:
        message = f"'{path}' cannot be made smaller than {least} bytes, its minimum size."
        raise Refused("InvalidParameter", message, path)
    raise Refused("NotSupported", "The stand-in only makes virtual disks larger.", path)


def _refuse_parent(host: Host, path: str) -> None:
    if any(_below(vm, path) for vm in host.world.vms.values()):
        raise Refused("InvalidParameter", f"'{path}' has differencing disks over it.", path)


CMDLETS = (Cmdlet("Resize-VHD", resize_vhd),)
