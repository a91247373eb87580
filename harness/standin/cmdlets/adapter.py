"""Network adapters of VMs, and their VLAN settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import cast
from uuid import uuid4

from harness.standin import devices
from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import each, locked, number, parts, sources, texts, vms
from harness.standin.cmdlets.switch import by_name
from harness.standin.faults import Refused, reported
from harness.standin.host import Host
from harness.standin.lifecycle import require
from harness.standin.parts import Part, report_of
from harness.standin.values import Record, Value
from harness.standin.wildcard import matches
from harness.standin.world import Adapter, Settings, Switch, Vlan, Vm

KEPT = {  # parameter → property; remembered and shown, without effect on the guest's card
    **{
        n: n
        for n in (
            "AllowTeaming", "DeviceNaming", "DhcpGuard", "DynamicIPAddressLimit", "FixSpeed10G",
            "IeeePriorityTag", "IovQueuePairsRequested", "IovWeight", "MacAddressSpoofing",
            "RouterGuard", "StormLimit", "VirtualSubnetId", "VrssEnabled", "VmmqEnabled",
        )
    },
    "VmqWeight": "VMQWeight",
    "PortMirroring": "PortMirroringMode",
}  # fmt: skip


def get_adapter(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMNetworkAdapter: of VMs, of a checkpoint, or -All; the host itself has none."""
    if given.flag("All"):
        given = Given(given.cmdlet, {**given.values, "VMName": ["*"]})
    names = texts(given.get("Name")) or ["*"]
    for source in sources(host, given, streams):
        report = report_of(host, source.vm)
        for adapter in _named(source.settings, names):
            if "SwitchName" not in given or _switch_name(host, adapter) == given["SwitchName"]:
                yield devices.adapter(host, Part(source.vm, adapter, source.snapshot), report)


def _switch_name(host: Host, adapter: Adapter) -> str:
    switch = host.world.switches.get(adapter.switch) if adapter.switch else None
    return switch.name if switch else ""


def _named(settings: Settings, names: list[str]) -> list[Adapter]:
    return [a for a in settings.adapters if any(matches(n, a.name) for n in names)]


def _targets(host: Host, given: Given, streams: Streams, name: str) -> Iterator[tuple[Vm, Adapter]]:
    """Yield the adapters that -VMNetworkAdapter, or -VM/-VMName with a name, stand for."""
    if "VMNetworkAdapter" in given:
        for part in parts(host, given, streams, "VMNetworkAdapter"):
            yield part.vm, _again(part.vm, cast(Adapter, part.item))
        return
    names = texts(given.get(name)) or ["*"]
    for vm in vms(host, given, streams):
        found = _named(vm.settings, names)
        with reported(given, host.release, streams):
            if not found:
                message = f"'{vm.name}' has no network adapter named '{names[0]}'."
                raise Refused("InvalidParameter", message, names[0])
        yield from ((vm, a) for a in found)


def _again(vm: Vm, adapter: Adapter) -> Adapter:
    """Return the adapter as it is now: an applied checkpoint has its own copy."""
    return next((a for a in vm.settings.adapters if a.id == adapter.id), adapter)


def add_adapter(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Add-VMNetworkAdapter: synthetic, or with -IsLegacy; VM Off."""

    def act(vm: Vm) -> list[Value]:
        require(vm, "Off")
        if len(vm.settings.adapters) >= 8:
            raise Refused("InvalidParameter", f"'{vm.name}' has 8 network adapters already.")
        name = str(given.get("Name", "Network Adapter"))
        switch = by_name(host, str(given["SwitchName"])).id if "SwitchName" in given else None
        adapter = Adapter(uuid4(), name, "", legacy=bool(given.get("IsLegacy")), switch=switch)
        _mac(adapter, given)
        vm.settings.adapters.append(adapter)
        return [devices.adapter(host, Part(vm, adapter))] if given.flag("Passthru") else []

    return each(host, given, streams, act)


def _mac(adapter: Adapter, given: Given) -> None:
    if given.flag("DynamicMacAddress"):
        adapter.dynamic_mac = True
    if "StaticMacAddress" in given:
        text = re.sub(r"[:-]", "", str(given["StaticMacAddress"])).upper()
        if not re.fullmatch(r"[0-9A-F]{12}", text):
            raise Refused("InvalidParameter", f"'{text}' is no MAC address.", text)
        adapter.mac, adapter.dynamic_mac = text, False


def set_adapter(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMNetworkAdapter: a new MAC address only while Off."""

    def change(vm: Vm, adapter: Adapter) -> None:
        if "StaticMacAddress" in given or given.flag("DynamicMacAddress"):
            require(vm, "Off")
            _mac(adapter, given)
        adapter.extra.update({KEPT[n]: given[n] for n in KEPT if n in given})

    for vm, adapter in list(_targets(host, given, streams, "Name")):
        yield from _changed(host, given, streams, (vm, adapter, change))


Change = tuple[Vm, Adapter, Callable[[Vm, Adapter], None]]


def _changed(host: Host, given: Given, streams: Streams, what: Change) -> Iterator[Value]:
    vm, adapter, change = what

    def act(vm: Vm) -> list[Value]:
        current = _again(vm, adapter)
        change(vm, current)
        return [devices.adapter(host, Part(vm, current))] if given.flag("Passthru") else []

    with reported(given, host.release, streams):
        yield from locked(host, vm, given, streams, act)


def remove_adapter(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Remove-VMNetworkAdapter: VM Off; its address is free again."""

    def change(vm: Vm, adapter: Adapter) -> None:
        require(vm, "Off")
        vm.settings.adapters = [a for a in vm.settings.adapters if a.id != adapter.id]
        kept = (a.id for s in vm.snapshots.values() for a in s.settings.adapters)
        if adapter.id not in kept:
            host.free_address(adapter.id)

    for vm, adapter in list(_targets(host, given, streams, "Name")):
        yield from _changed(host, given, streams, (vm, adapter, change))


def connect_adapter(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Connect-VMNetworkAdapter; the stand-in can do it only before the VM starts."""

    def change(vm: Vm, adapter: Adapter) -> None:
        require(vm, "Off")
        adapter.switch = _wanted_switch(host, given).id

    for vm, adapter in list(_targets(host, given, streams, "Name")):
        yield from _changed(host, given, streams, (vm, adapter, change))


def _wanted_switch(host: Host, given: Given) -> Switch:
    if "VMSwitch" in given:
        record = given["VMSwitch"]
        if isinstance(record, Record) and isinstance(record.live, Switch):
            return record.live
        raise Refused("InvalidParameter", "The object is a copy without its virtual switch.")
    if given.flag("UseAutomaticConnection"):
        first = next(iter(host.world.switches.values()), None)
        if first is None:
            raise Refused("InvalidParameter", "This host has no virtual switch.")
        return first
    return by_name(host, str(given["SwitchName"]))


def disconnect_adapter(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Disconnect-VMNetworkAdapter."""

    def change(vm: Vm, adapter: Adapter) -> None:
        require(vm, "Off")
        adapter.switch = None

    for vm, adapter in list(_targets(host, given, streams, "Name")):
        yield from _changed(host, given, streams, (vm, adapter, change))


def get_vlan(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMNetworkAdapterVlan."""
    if "VMNetworkAdapter" in given:
        for part in parts(host, given, streams, "VMNetworkAdapter"):
            yield devices.vlan(host, part, parent=True)
        return
    names = texts(given.get("VMNetworkAdapterName")) or ["*"]
    for source in sources(host, given, streams):
        for adapter in _named(source.settings, names):
            yield devices.vlan(host, Part(source.vm, adapter, source.snapshot), parent=True)


def set_vlan(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Set-VMNetworkAdapterVlan: remembered; the guest network of the stand-in has no VLANs."""

    def change(_: Vm, adapter: Adapter) -> None:
        adapter.vlan = _vlan(given)

    for vm, adapter in list(_targets(host, given, streams, "VMNetworkAdapterName")):
        with reported(given, host.release, streams):
            list(_changed(host, given, streams, (vm, adapter, change)))
            if given.flag("Passthru"):
                yield devices.vlan(host, Part(vm, _again(vm, adapter)), parent=True)


def _vlan(given: Given) -> Vlan:
    access = number(given, "VlanId")
    if given.flag("Access"):
        if access is None or not 1 <= access <= 4094:
            raise Refused("InvalidParameter", "A VLAN ID is from 1 to 4094.", str(access))
        return Vlan("Access", access)
    if given.flag("Trunk"):
        allowed = _list(str(given.get("AllowedVlanIdList", "")))
        return Vlan("Trunk", native=number(given, "NativeVlanId") or 0, allowed=allowed)
    if given.flag("Untagged"):
        return Vlan()
    raise Refused("NotSupported", "The stand-in has no private VLANs.")


def _list(text: str) -> tuple[int, ...]:
    """Read ``1,3,10-12``."""
    found: list[int] = []
    for piece in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", piece)
        if not match:
            raise Refused("InvalidParameter", f"'{text}' is no list of VLAN IDs.", text)
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= 4094:
            raise Refused("InvalidParameter", "A VLAN ID is from 1 to 4094.", text)
        found.extend(range(first, last + 1))
    return tuple(found)


CMDLETS = (
    Cmdlet("Get-VMNetworkAdapter", get_adapter),
    Cmdlet("Add-VMNetworkAdapter", add_adapter),
    Cmdlet("Set-VMNetworkAdapter", set_adapter),
    Cmdlet("Remove-VMNetworkAdapter", remove_adapter),
    Cmdlet("Connect-VMNetworkAdapter", connect_adapter),
    Cmdlet("Disconnect-VMNetworkAdapter", disconnect_adapter),
    Cmdlet("Get-VMNetworkAdapterVlan", get_vlan),
    Cmdlet("Set-VMNetworkAdapterVlan", set_vlan),
)
