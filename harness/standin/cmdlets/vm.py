"""Get-VM, Set-VM, Rename-VM and Remove-VM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import cast
from uuid import UUID

from harness.standin import changes, checkpoints, paths
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import by_id, each, number, texts, vms
from harness.standin.faults import Refused, need_force, reported
from harness.standin.host import Host
from harness.standin.lifecycle import observe, refresh, require
from harness.standin.machines import MachineError
from harness.standin.objects import virtual_machine
from harness.standin.values import Record, Value
from harness.standin.world import Settings, Vm

KEPT = (  # parameters of Set-VM that the stand-in only remembers and shows
    "AutomaticCheckpointsEnabled",
    "AutomaticCriticalErrorAction",
    "AutomaticCriticalErrorActionTimeout",
    "GuestControlledCacheTypes",
    "LockOnDisconnect",
    "SmartPagingFilePath",
)


def get_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VM: by name (wildcards), by Id, or all."""
    for vm in _asked(host, given, streams):
        with reported(given, host.release, streams):
            yield _shown(host, vm)


def _shown(host: Host, vm: Vm) -> Record:
    observe(host, vm)
    try:
        return virtual_machine(host, vm)
    except MachineError:  # its machine may have ended between the two
        refresh(host, vm)
        return virtual_machine(host, vm)


def _asked(host: Host, given: Given, streams: Streams) -> Iterator[Vm]:
    if "Id" in given:
        with reported(given, host.release, streams):
            yield by_id(host, cast(UUID, given["Id"]))
        return
    names = given if "Name" in given else Given(given.cmdlet, {**given.values, "Name": "*"})
    yield from vms(host, names, streams, "Name")


def set_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VM: all of the given settings, or none."""

    def act(vm: Vm) -> None:
        settings = deepcopy(vm.settings)
        _hardware(host, vm, settings, given)
        _conduct(settings, given)
        if "SnapshotFileLocation" in given:
            vm.snapshot_path = paths.full(str(given["SnapshotFileLocation"]))
        if "NewVMName" in given:
            vm.name = new_name(given["NewVMName"])
        vm.settings = settings

    return each(host, given, streams, act, "Name")


def _hardware(host: Host, vm: Vm, settings: Settings, given: Given) -> None:
    low, high = number(given, "LowMemoryMappedIoSpace"), number(given, "HighMemoryMappedIoSpace")
    count = number(given, "ProcessorCount")
    if low is not None:
        settings.low_gap = changes.low_gap(host, vm, low)
    if high is not None:
        settings.high_gap = changes.high_gap(vm, high)
    if count is not None:
        settings.processor.count = changes.processors(host, vm, count)
    now = settings.memory
    dynamic = True if given.flag("DynamicMemory") else now.dynamic
    wanted = replace(
        now,
        dynamic=False if given.flag("StaticMemory") else dynamic,
        startup=number(given, "MemoryStartupBytes") or now.startup,
        minimum=number(given, "MemoryMinimumBytes") or now.minimum,
        maximum=number(given, "MemoryMaximumBytes") or now.maximum,
    )
    if wanted != now:
        settings.memory = changes.memory(vm, wanted)


def _conduct(settings: Settings, given: Given) -> None:
    settings.notes = str(given.get("Notes", settings.notes))
    settings.checkpoint_type = str(given.get("CheckpointType", settings.checkpoint_type))
    settings.start_action = str(given.get("AutomaticStartAction", settings.start_action))
    settings.stop_action = str(given.get("AutomaticStopAction", settings.stop_action))
    delay = number(given, "AutomaticStartDelay")
    settings.start_delay = settings.start_delay if delay is None else delay
    for name in KEPT:
        if name in given:
            value = given[name]
            settings.extra[name] = value if isinstance(value, int) else str(value)


def new_name(value: Value) -> str:
    """Return a name for a VM or a checkpoint; 1 to 100 characters."""
    name = str(value)
    if not name.strip() or len(name) > 100:
        raise Refused("InvalidParameter", "A name has 1 to 100 characters.", name)
    return name


def rename_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Rename-VM."""

    def act(vm: Vm) -> None:
        vm.name = new_name(given["NewName"])

    return each(host, given, streams, act, "Name")


def remove_vm(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Remove-VM: configuration, saved state and checkpoints go, virtual disks stay."""
    need_force(given, host.release, f"Remove {', '.join(texts(given.get('Name')))}?")

    def act(vm: Vm) -> list[Value] | None:
        require(vm, "Off", "Saved")
        every = [vm.settings, *(s.settings for s in vm.snapshots.values())]
        adapters = {a.id for settings in every for a in settings.adapters}
        checkpoints.remove_all(host, vm)
        if vm.saved:
            host.remove(vm.saved)
        with host.lock:
            del host.world.vms[vm.id]
            for adapter in adapters:
                host.free_address(adapter)
        if not given.flag("Passthru"):
            return None
        gone = virtual_machine(host, vm)
        gone.properties["IsDeleted"] = True
        return [gone]

    return each(host, given, streams, act, "Name")


CMDLETS = (
    Cmdlet("Get-VM", get_vm),
    Cmdlet("Set-VM", set_vm),
    Cmdlet("Rename-VM", rename_vm),
    Cmdlet("Remove-VM", remove_vm),
)
