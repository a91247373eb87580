"""Get/Set-VMMemory and Get/Set-VMProcessor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from harness.standin import changes, devices
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import locked, number, parts, sources, vms
from harness.standin.faults import reported
from harness.standin.host import Host
from harness.standin.lifecycle import require
from harness.standin.parts import Part
from harness.standin.values import Record, Value
from harness.standin.world import Vm

KEPT = {  # parameter of Set-VMProcessor → property of VMProcessor; remembered, without effect
    "CompatibilityForMigrationEnabled": "CompatibilityForMigrationEnabled",
    "CompatibilityForOlderOperatingSystemsEnabled": "CompatibilityForOlderOperatingSystemsEnabled",
    "EnableHostResourceProtection": "EnableHostResourceProtection",
    "ExposeVirtualizationExtensions": "ExposeVirtualizationExtensions",
    "HwThreadCountPerCore": "HwThreadCountPerCore",
    "MaximumCountPerNumaNode": "MaximumCountPerNumaNode",
    "MaximumCountPerNumaSocket": "MaximumCountPerNumaSocket",
}


def get_memory(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMMemory."""
    for source in sources(host, given, streams):
        part = Part(source.vm, source.settings.memory, source.snapshot)
        yield devices.memory(host, part)


def get_processor(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMProcessor."""
    for source in sources(host, given, streams):
        part = Part(source.vm, source.settings.processor, source.snapshot)
        yield devices.processor(host, part)


def _owners(host: Host, given: Given, streams: Streams, name: str) -> Iterable[Vm]:
    if name in given:
        return (p.vm for p in parts(host, given, streams, name))
    return vms(host, given, streams)


def _set(
    host: Host, given: Given, streams: Streams, name: str, act: Callable[[Vm], Record]
) -> Iterable[Value]:
    for vm in _owners(host, given, streams, name):
        with reported(given, host.release, streams):
            made = locked(host, vm, given, streams, lambda v: [act(v)])
            if given.flag("Passthru"):
                yield from made


def set_memory(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMMemory; startup and kind only while Off."""

    def act(vm: Vm) -> Record:
        now = vm.settings.memory
        wanted = replace(
            now,
            dynamic=bool(given.get("DynamicMemoryEnabled", now.dynamic)),
            startup=number(given, "StartupBytes") or now.startup,
            minimum=number(given, "MinimumBytes") or now.minimum,
            maximum=number(given, "MaximumBytes") or now.maximum,
            buffer=number(given, "Buffer") or now.buffer,
        )
        priority = number(given, "Priority")
        wanted.priority = now.priority if priority is None else priority
        vm.settings.memory = changes.memory(vm, wanted)
        return devices.memory(host, Part(vm, wanted))

    return _set(host, given, streams, "VMMemory", act)


def set_processor(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMProcessor; the count only while Off."""

    def act(vm: Vm) -> Record:
        p = vm.settings.processor
        count = number(given, "Count")
        if count is not None:
            p.count = changes.processors(host, vm, count)
        limits = {n: number(given, n) for n in ("Maximum", "Reserve", "RelativeWeight")}
        p.maximum = p.maximum if limits["Maximum"] is None else limits["Maximum"]
        p.reserve = p.reserve if limits["Reserve"] is None else limits["Reserve"]
        p.weight = p.weight if limits["RelativeWeight"] is None else limits["RelativeWeight"]
        kept = {KEPT[n]: given[n] for n in KEPT if n in given}
        if kept:
            require(vm, "Off")
            p.extra.update(kept)
        return devices.processor(host, Part(vm, p))

    return _set(host, given, streams, "VMProcessor", act)


CMDLETS = (
    Cmdlet("Get-VMMemory", get_memory),
    Cmdlet("Set-VMMemory", set_memory),
    Cmdlet("Get-VMProcessor", get_processor),
    Cmdlet("Set-VMProcessor", set_processor),
)
