"""Get-VMSwitch, New-VMSwitch and Remove-VMSwitch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import uuid4

from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.select import texts
from harness.standin.faults import Refused, need_force, reported
from harness.standin.host import Host
from harness.standin.objects import switch_object
from harness.standin.values import Record, Value
from harness.standin.wildcard import has_wildcards, matches
from harness.standin.world import Switch


def named(host: Host, name: str) -> list[Switch]:
    """Return the switches whose name fits; a plain name that none has is refused."""
    found = [s for s in list(host.world.switches.values()) if matches(name, s.name)]
    if not found and not has_wildcards(name):
        message = f'Hyper-V was unable to find a virtual switch with name "{name}".'
        raise Refused("InvalidParameter", message, name)
    return found


def by_name(host: Host, name: str) -> Switch:
    """Return the one switch of a name."""
    found = [s for s in host.world.switches.values() if s.name.casefold() == name.casefold()]
    if not found:
        message = f'Hyper-V was unable to find a virtual switch with name "{name}".'
        raise Refused("InvalidParameter", message, name)
    return found[0]


def get_switch(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Get-VMSwitch: by name (wildcards), Id or type."""
    kinds = texts(given.get("SwitchType"))
    ids = texts(given.get("Id"))
    with reported(given, host.release, streams):
        for switch in named(host, str(given.get("Name", "*"))):
            fits_kind = not kinds or switch.kind in kinds
            if fits_kind and (not ids or str(switch.id) in ids):
                yield switch_object(host, switch)


def new_switch(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """New-VMSwitch: a private one carries frames between its VMs, the others the stand-in's own."""
    with reported(given, host.release, streams):
        adapter = (texts(given.get("NetAdapterName")) or [""])[0]
        described = (texts(given.get("NetAdapterInterfaceDescription")) or [adapter])[0]
        kind = str(given.get("SwitchType", "External"))
        switch = Switch(uuid4(), str(given["Name"]), kind, str(given.get("Notes", "")), described)
        switch.management = bool(given.get("AllowManagementOS", kind != "Private"))
        with host.lock:
            host.world.switches[switch.id] = switch
        yield switch_object(host, switch)


def remove_switch(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
    """Remove-VMSwitch: not while an adapter of a VM is connected to it."""
    need_force(given, host.release, "Remove the virtual switch?")
    for switch in _to_remove(host, given, streams):
        with reported(given, host.release, streams), host.lock:
            users = [
                vm.name
                for vm in host.world.vms.values()
                for a in vm.settings.adapters
                if a.switch == switch.id and vm.state != "Off"
            ]
            if users:
                message = f"The virtual switch '{switch.name}' is used by '{users[0]}'."
                raise Refused("ObjectInUse", message, switch.name)
            host.world.switches.pop(switch.id, None)
    return ()


def _to_remove(host: Host, given: Given, streams: Streams) -> Iterator[Switch]:
    objects = given.get("VMSwitch")
    for record in objects if isinstance(objects, list) else []:
        if isinstance(record, Record) and isinstance(record.live, Switch):
            yield record.live
    for name in texts(given.get("Name")):
        with reported(given, host.release, streams):
            yield from named(host, name)


CMDLETS = (
    Cmdlet("Get-VMSwitch", get_switch),
    Cmdlet("New-VMSwitch", new_switch),
    Cmdlet("Remove-VMSwitch", remove_switch),
)
