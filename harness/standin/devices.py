"""Objects of a VM's devices and settings: drives, controllers, adapters, services, ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from harness.standin.parts import UP, Part, component, hardware_address, report_of, scope
from harness.standin.shapes import HYPERV, build
from harness.standin.values import Record, Value
from harness.standin.world import SERVICES, Adapter, ComPort, Drive, Vlan

if TYPE_CHECKING:
    from harness.standin.host import Host
    from harness.standin.machines import GuestReport

CONTACT = {  # VMIntegrationComponentOperationalStatus → its text
    "Ok": "OK",
    "NoContact": "No Contact",
    "LostCommunication": "Lost Communication",
    "Disabled": "",
}


def _device_id(part: Part, rest: str) -> str:
    owner = part.snapshot.id if part.snapshot else part.vm.id
    return f"Microsoft:{str(owner).upper()}\\{rest}"


def drive(host: Host, part: Part) -> Record:
    """Build a HardDiskDrive or a DvdDrive."""
    item = cast(Drive, part.item)
    name = "DVD Drive" if item.dvd else "Hard Drive"
    values: dict[str, Value] = {
        "Path": item.path,
        "ControllerLocation": item.location,
        "ControllerNumber": item.number,
        "ControllerType": item.controller,
        "Name": f"{name} on {item.controller} controller number {item.number}"
        f" at location {item.location}",
        "PoolName": "Primordial",
        "Id": _device_id(part, str(item.id).upper()),
    }
    if item.dvd:
        return component(host, part, "DvdDrive", {**values, "DvdMediaType": "None"})
    kept = {k: cast(Value, v) for k, v in item.extra.items()}
    return component(host, part, "HardDiskDrive", {**_drive_defaults(), **kept, **values})


def _drive_defaults() -> dict[str, Value]:
    return {
        "MaximumIOPS": 0,
        "MinimumIOPS": 0,
        "SupportPersistentReservations": False,
        "WriteHardeningMethod": "Default",
    }


def controller(host: Host, part: Part, kind: str) -> Record:
    """Build a VMIdeController or VMScsiController; the part's item is its number."""
    number = cast(int, part.item)
    drives = [Part(part.vm, d, part.snapshot) for d in part.settings.drives]
    mine = [p for p in drives if cast(Drive, p.item).place[:2] == (kind, number)]
    values: dict[str, Value] = {
        "ControllerNumber": number,
        "Drives": [drive(host, p) for p in mine],
        "Name": f"{kind} Controller {number}" if kind == "IDE" else "SCSI Controller",
        "Id": _device_id(part, f"{kind}\\{number}"),
    }
    short = "VMIdeController" if kind == "IDE" else "VMScsiController"
    return component(host, part, short, values)


def service(host: Host, part: Part, report: GuestReport) -> Record:
    """Build a VMIntegrationComponent; the part's item is its name."""
    name = cast(str, part.item)
    enabled = part.settings.services[name]
    status = _contact(part, report) if enabled else "Disabled"
    text = CONTACT[status] if status else ""
    guid = next(guid for n, guid, _ in SERVICES if n == name)
    values: dict[str, Value] = {
        "Enabled": enabled,
        "OperationalStatus": [status] if status else [],
        "PrimaryOperationalStatus": status,
        "PrimaryStatusDescription": text,
        "SecondaryStatusDescription": "",
        "StatusDescription": [text] if text else [],
        "Name": name,
        "Id": _device_id(part, guid),
    }
    return component(host, part, "VMIntegrationComponent", values)


def _contact(part: Part, report: GuestReport) -> str | None:
    if part.snapshot or part.vm.state not in UP:
        return None
    if report.heartbeat:
        return "Ok"
    return "LostCommunication" if part.vm.heard else "NoContact"


def adapter(
    host: Host, part: Part, report: GuestReport | None = None, *, nested: bool = False
) -> Record:
    """Build a VMNetworkAdapter; ``nested``: it is the ParentAdapter of its own VLAN setting."""
    item = cast(Adapter, part.item)
    switch = host.world.switches.get(item.switch) if item.switch else None
    up = not part.snapshot and part.vm.state in UP
    values: dict[str, Value] = {
        **_adapter_fixed(item),
        "Name": item.name,
        "MacAddress": item.mac or "000000000000",
        "DynamicMacAddressEnabled": item.dynamic_mac,
        "IsLegacy": item.legacy,
        "IsSynthetic": not item.legacy,
        "IPAddresses": _addresses(host, part, report or report_of(host, part.vm)),
        "Connected": switch is not None,
        "SwitchName": switch.name if switch else "",
        "SwitchId": switch.id if switch else None,
        "AdapterId": str(item.id).upper(),
        "Id": _device_id(part, str(item.id).upper()),
        "Status": ["Ok"] if up else [],
        "StatusDescription": ["OK"] if up else [],
    }
    if not nested:
        values["VlanSetting"] = vlan(host, part)
    return component(host, part, "VMNetworkAdapter", values)


def _adapter_fixed(item: Adapter) -> dict[str, Value]:
    onoff = dict.fromkeys(
        ("MacAddressSpoofing", "DhcpGuard", "RouterGuard", "IeeePriorityTag", "AllowTeaming"), "Off"
    )
    kept = {k: cast(Value, v) for k, v in item.extra.items()}
    return {
        **onoff,
        "DeviceNaming": "Off",
        "FixSpeed10G": "Off",
        "PortMirroringMode": "None",
        "CurrentIsolationMode": "None",
        "VMQWeight": 100,
        "IPsecOffloadMaxSA": 512,
        "ClusterMonitored": True,
        "PoolName": "",
        **kept,
    }


def _addresses(host: Host, part: Part, report: GuestReport) -> list[Value]:
    """Return the adapter's addresses as the guest's key-value exchange tells them."""
    item = cast(Adapter, part.item)
    if not part.settings.services["Key-Value Pair Exchange"] or part.snapshot or not item.switch:
        return []
    index = next(n for n, a in enumerate(part.settings.adapters) if a.id == item.id)
    seen = hardware_address(item, index)
    private: list[Value] = [ip for mac, ip in report.private if mac == seen]
    mine = host.world.addresses.get(item.id)
    return [mine] if mine in report.addresses else private


def vlan(host: Host, part: Part, *, parent: bool = False) -> Record:
    """Build a VMNetworkAdapterVlanSetting; ``parent``: with the adapter that it belongs to."""
    setting: Vlan = cast(Adapter, part.item).vlan
    values: dict[str, Value] = {
        "OperationMode": setting.mode,
        "AccessVlanId": setting.access,
        "NativeVlanId": setting.native,
        "AllowedVlanIdList": list(setting.allowed),
        "AllowedVlanIdListString": ",".join(map(str, setting.allowed)),
        "ParentAdapter": adapter(host, part, nested=True) if parent else None,
        **scope(host),
    }
    name = HYPERV + "VMNetworkAdapterVlanSetting"
    return build(name, host.release, values, name, part)


def com_port(host: Host, part: Part, number: int) -> Record:
    """Build a VMComPort; the part's item is the ComPort."""
    port = cast(ComPort, part.item)
    values: dict[str, Value] = {
        "Path": port.path,
        "DebuggerMode": port.debugger,
        "Name": f"COM {number}",
        "Id": _device_id(part, f"8E3A359F-559A-4B6A-98A9-1690A6100ED7\\{number - 1}"),
    }
    return component(host, part, "VMComPort", values)


def memory(host: Host, part: Part) -> Record:
    """Build a VMMemory; MaximumPerNumaNode is in MB, the others in bytes."""
    m = part.settings.memory
    values: dict[str, Value] = {
        "ResourcePoolName": "Primordial",
        "Buffer": m.buffer,
        "DynamicMemoryEnabled": m.dynamic,
        "Maximum": m.maximum,
        "MaximumPerNumaNode": host.memory >> 20,
        "Minimum": m.minimum,
        "Priority": m.priority,
        "Startup": m.startup,
        "Name": "Memory",
        "Id": _device_id(part, "4764334D-E001-4176-82EE-5594EC9B530E"),
    }
    return component(host, part, "VMMemory", values)


def processor(host: Host, part: Part) -> Record:
    """Build a VMProcessor."""
    p = part.settings.processor
    kept = {k: cast(Value, v) for k, v in p.extra.items()}
    values: dict[str, Value] = {
        "ResourcePoolName": "Primordial",
        "Count": p.count,
        "Maximum": p.maximum,
        "Reserve": p.reserve,
        "RelativeWeight": p.weight,
        "MaximumCountPerNumaNode": host.processors,
        "MaximumCountPerNumaSocket": 1,
        "OperationalStatus": ["Ok"],
        "StatusDescription": ["OK"],
        "Name": "Processor",
        "Id": _device_id(part, "B637F346-6A0E-4DEC-AF52-BD70CB80A21D\\0"),
        **kept,
    }
    return component(host, part, "VMProcessor", values)
