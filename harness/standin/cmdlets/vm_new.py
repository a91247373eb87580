"""New-VM."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast
from uuid import uuid4

from harness.standin import changes, paths
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import number
from harness.standin.cmdlets.switch import by_name as switch_by_name
from harness.standin.cmdlets.vm import new_name
from harness.standin.faults import OLD, Refused, reported
from harness.standin.host import Host, now
from harness.standin.objects import virtual_machine
from harness.standin.values import Value
from harness.standin.world import GIB, Adapter, Drive, Memory, Settings, Vm

DEFAULT_PATH = "C:\\ProgramData\\Microsoft\\Windows\\Hyper-V"
DEFAULT_DISKS = "C:\\Users\\Public\\Documents\\Hyper-V\\Virtual hard disks"


def new_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """New-VM -Generation 1: a DVD drive, a SCSI controller, an adapter, at most one disk on IDE."""
    with reported(given, host.release, streams):
        _supported(host, given)
        vm = _vm(host, given)
        disk = _disk(host, given)
        if disk:
            vm.settings.drives.insert(0, Drive(disk, "IDE", 0, 0, uuid4()))
        host.local(vm.path).mkdir(parents=True, exist_ok=True)
        with host.lock:
            host.world.vms[vm.id] = vm
        yield virtual_machine(host, vm)


def _supported(host: Host, given: Given) -> None:
    if number(given, "Generation") == 2:
        raise Refused(
            "NotSupported",
            "The stand-in host has Generation 1 virtual machines only (a listed limit).",
        )
    version = str(given.get("Version", host.release.vm_version))
    if version not in (host.release.vm_version, "5.0", "8.0") or (
        host.release.build < OLD and version != host.release.vm_version
    ):
        message = f"This host does not support virtual machine version {version}."
        raise Refused("InvalidParameter", message, version)


def _vm(host: Host, given: Given) -> Vm:
    name = new_name(given.get("Name", "New Virtual Machine"))
    path = DEFAULT_PATH
    if "Path" in given:
        path = paths.join(paths.full(str(given["Path"])), name)
    settings = Settings(str(given.get("Version", host.release.vm_version)))
    vm = Vm(uuid4(), name, now(), path, path, settings)
    startup = number(given, "MemoryStartupBytes") or GIB
    settings.memory = changes.memory(vm, Memory(startup))
    settings.scsi = [0]
    settings.drives = [Drive("", "IDE", 1, 0, uuid4(), dvd=True)]
    switch = None
    if "SwitchName" in given:
        switch = switch_by_name(host, str(given["SwitchName"])).id
    settings.adapters = [Adapter(uuid4(), "Network Adapter", "", switch=switch)]
    return vm


def _disk(host: Host, given: Given) -> str:
    if "VHDPath" in given:
        path = paths.full(str(given["VHDPath"]))
        if not host.is_file(path):
            message = f"The file of the virtual hard disk '{path}' was not found."
            raise Refused("ObjectNotFound", message, path)
        return path
    if "NewVHDPath" in given:
        wanted = str(given["NewVHDPath"])
        path = paths.full(wanted if ":" in wanted else paths.join(DEFAULT_DISKS, wanted))
        if host.is_file(path):
            raise Refused("OperationFailed", f"The file '{path}' exists already.", path)
        size = cast(int, given["NewVHDSizeBytes"])
        host.disks.create(host.folder_for(path), size, "Dynamic")
        return path
    return ""


CMDLETS = (Cmdlet("New-VM", new_vm),)
