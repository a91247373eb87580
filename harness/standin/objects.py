"""What cmdlets put out: .NET objects of Hyper-V, built from the world and the machine behind it."""

from __future__ import annotations

from datetime import timedelta

from harness.standin import devices
from harness.standin.host import Host
from harness.standin.machines import GuestReport
from harness.standin.parts import UP, Part, heartbeat, report_of, scope
from harness.standin.shapes import HYPERV, build
from harness.standin.values import Record, Value
from harness.standin.world import Settings, Snapshot, Switch, Vm


def virtual_machine(host: Host, vm: Vm) -> Record:
    """Build the VirtualMachine object; ``live`` is the Vm."""
    report = report_of(host, vm)
    values = {
        **_common(host, vm, report, None),
        **_now(host, vm, report),
        **_automatic(vm.settings),
        "Id": vm.id,
        "Name": vm.name,
        "State": vm.state,
        "CreationTime": vm.created,
        "Path": vm.path,
        "ParentSnapshotId": vm.current,
        "ParentSnapshotName": vm.snapshots[vm.current].name if vm.current else "",
        "ConfigurationLocation": vm.path,
        "SmartPagingFilePath": str(vm.settings.extra.get("SmartPagingFilePath", vm.path)),
        "SnapshotFileLocation": vm.snapshot_path,
        "GuestStatePath": vm.path,
        **scope(host),
    }
    return build(
        HYPERV + "VirtualMachine", host.release, values, f"VirtualMachine (Name = '{vm.name}')", vm
    )


def _now(host: Host, vm: Vm, report: GuestReport) -> dict[str, Value]:
    up = vm.state in UP
    seconds = round(host.machines.uptime(vm.id)) if up else 0
    services = "Up to date" if report.heartbeat else ""
    version = Record(("System.Version", "System.Object"), {}, "0.0")
    return {
        **_memory(host, vm),
        "Uptime": timedelta(seconds=seconds),
        "Heartbeat": heartbeat(vm, report),
        "IntegrationServicesState": services,
        "IntegrationServicesVersion": version,
        "OperationalStatus": ["Ok"],
        "PrimaryOperationalStatus": "Ok",
        "StatusDescriptions": ["Operating normally"],
        "PrimaryStatusDescription": "Operating normally",
        "Status": "Operating normally",
        "NumaAligned": True if up else None,
        "NumaNodesCount": 1,
        "NumaSocketCount": 1,
    }


def _memory(host: Host, vm: Vm) -> dict[str, Value]:
    """Return what it has and needs; a VM that is not up, or has static memory, has no demand."""
    assigned = host.machines.assigned(vm.id) if vm.state in UP else 0
    memory, demand = vm.settings.memory, vm.ram.demand
    if not (memory.dynamic and demand and vm.state in UP):
        return {"MemoryAssigned": assigned, "MemoryDemand": 0, "MemoryStatus": ""}
    status = "OK" if assigned * 100 >= demand * (100 + memory.buffer) else "Low"
    status = status if assigned >= demand else "Warning"
    return {"MemoryAssigned": assigned, "MemoryDemand": demand, "MemoryStatus": status}


def _automatic(settings: Settings) -> dict[str, Value]:
    extra = settings.extra
    return {
        "AutomaticStartAction": settings.start_action,
        "AutomaticStartDelay": settings.start_delay,
        "AutomaticStopAction": settings.stop_action,
        "AutomaticCriticalErrorAction": str(extra.get("AutomaticCriticalErrorAction", "Pause")),
        "AutomaticCriticalErrorActionTimeout": _int(
            extra.get("AutomaticCriticalErrorActionTimeout", 30)
        ),
        "AutomaticCheckpointsEnabled": bool(extra.get("AutomaticCheckpointsEnabled", False)),
        "CheckpointType": settings.checkpoint_type,
        "VirtualMachineType": "RealizedVirtualMachine",
        "VirtualMachineSubType": f"Generation{settings.generation}",
    }


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _common(host: Host, vm: Vm, report: GuestReport, snapshot: Snapshot | None) -> dict[str, Value]:
    settings = snapshot.settings if snapshot else vm.settings
    return {
        **_sizes(settings),
        **_devices(host, vm, report, snapshot),
        "Notes": settings.notes,
        "Generation": settings.generation,
        "Version": settings.version,
    }


def _sizes(settings: Settings) -> dict[str, Value]:
    memory = settings.memory
    return {
        "DynamicMemoryEnabled": memory.dynamic,
        "MemoryMaximum": memory.maximum if memory.dynamic else memory.startup,
        "MemoryMinimum": memory.minimum if memory.dynamic else memory.startup,
        "MemoryStartup": memory.startup,
        "ProcessorCount": settings.processor.count,
        "LowMemoryMappedIoSpace": settings.low_gap,
        "HighMemoryMappedIoSpace": settings.high_gap,
        "GuestControlledCacheTypes": bool(settings.extra.get("GuestControlledCacheTypes", False)),
        "LockOnDisconnect": str(settings.extra.get("LockOnDisconnect", "Off")),
    }


def _devices(
    host: Host, vm: Vm, report: GuestReport, snapshot: Snapshot | None
) -> dict[str, Value]:
    settings = snapshot.settings if snapshot else vm.settings
    drives = [(d, Part(vm, d, snapshot)) for d in settings.drives]
    return {
        "ComPort1": devices.com_port(host, Part(vm, settings.com[1], snapshot), 1),
        "ComPort2": devices.com_port(host, Part(vm, settings.com[2], snapshot), 2),
        "HardDrives": [devices.drive(host, p) for d, p in drives if not d.dvd],
        "DVDDrives": [devices.drive(host, p) for d, p in drives if d.dvd],
        "VMIntegrationService": [
            devices.service(host, Part(vm, name, snapshot), report) for name in settings.services
        ],
        "NetworkAdapters": [
            devices.adapter(host, Part(vm, a, snapshot), report) for a in settings.adapters
        ],
    }


def snapshot_object(host: Host, vm: Vm, snapshot: Snapshot) -> Record:
    """Build the VMSnapshot object; ``live`` is a Part whose item is the Snapshot."""
    parent = vm.snapshots.get(snapshot.parent) if snapshot.parent else None
    values = {
        **_common(host, vm, GuestReport(), snapshot),
        "SnapshotType": "Standard",
        "VMId": vm.id,
        "VMName": vm.name,
        "State": "Saved" if snapshot.memory else "Off",
        "Path": vm.snapshot_path,
        "ParentSnapshotId": snapshot.parent,
        "ParentSnapshotName": parent.name if parent else "",
        "CreationTime": snapshot.created,
        "Id": snapshot.id,
        "Name": snapshot.name,
        **scope(host),
    }
    text = f"VMSnapshot (Name = '{snapshot.name}', VMName = '{vm.name}')"
    live = Part(vm, snapshot, snapshot)
    return build(HYPERV + "VMSnapshot", host.release, values, text, live)


def switch_object(host: Host, switch: Switch) -> Record:
    """Build the VMSwitch object; ``live`` is the Switch."""
    values: dict[str, Value] = {
        "Name": switch.name,
        "Id": switch.id,
        "Notes": switch.notes,
        "SwitchType": switch.kind,
        "BandwidthReservationMode": "Absolute",
        "AllowManagementOS": switch.management,
        "NetAdapterInterfaceDescription": switch.adapter,
        "NetAdapterInterfaceDescriptions": [switch.adapter] if switch.adapter else [],
        **scope(host),
    }
    text = f"VMSwitch (Name = '{switch.name}')"
    return build(HYPERV + "VMSwitch", host.release, values, text, switch)
