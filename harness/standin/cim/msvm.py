r"""The classes of root\virtualization\v2: properties from the contract, values from the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from harness.standin.cim import display, methods
from harness.standin.cim.model import CimClass, Found, Method
from harness.standin.host import Host
from harness.standin.lifecycle import observe
from harness.standin.machines import GuestReport
from harness.standin.parts import UP, heartbeat, report_of
from harness.standin.shapes import enum, wmi_classes
from harness.standin.values import Value
from harness.standin.world import Settings, Snapshot, Vm

SPACE = "root/virtualization/v2"
SINCE = (  # what the contract's "since" says, and the build that means; the last that fits counts
    ("Windows 8.1", 9600),
    ("Windows 10", 14393),
    ("version 1703", 14393),  # HighMmioGapSize: Set-VM of 2016 sets it, so its WMI has it
    ("version 1709", 17763),
    ("version 1803", 17763),
)
NEVER = datetime(1601, 1, 1, tzinfo=UTC)
ACTIONS = {"Nothing": 2, "StartIfRunning": 3, "Start": 4, "TurnOff": 2, "Save": 3, "ShutDown": 4}
CHECKPOINTS = {"Disabled": 2, "Production": 3, "ProductionOnly": 4, "Standard": 5}
CONTACT = {"OkApplicationsUnknown": 2, "NoContact": 12, "LostCommunication": 13}


def types(name: str) -> Callable[[Host], Mapping[str, str]]:
    """Return the reader of a documented class's properties for the release of a host."""

    def read(host: Host) -> Mapping[str, str]:
        facts = wmi_classes()[name]["properties"]
        return {n: f["type"] for n, f in facts.items() if since(f) <= host.release.build}

    return read


def since(fact: Mapping[str, list[str]]) -> int:
    """Return the first build that has what the fact is about; 0 where nothing is said."""
    said = " ".join(fact.get("since", []))
    return max((build for text, build in SINCE if text in said), default=0)


def guid(vm: Vm | Snapshot) -> str:
    """Return an id as WMI spells it."""
    return str(vm.id).upper()


def computer_systems(host: Host) -> Iterable[Found]:
    """Yield the host, then its VMs."""
    yield Found(
        {
            "Caption": "Hosting Computer System",
            "Description": "Microsoft Hosting Computer System",
            "ElementName": host.name,
            "Name": host.name,
            "CreationClassName": "Msvm_ComputerSystem",
            "EnabledState": 2,
            "HealthState": 5,
            "OperationalStatus": [2],
        }
    )
    for vm in list(host.world.vms.values()):
        observe(host, vm)
        yield Found(_system(host, vm), vm)


def _system(host: Host, vm: Vm) -> dict[str, Value]:
    up = vm.state in UP
    return {
        "Caption": "Virtual Machine",
        "Description": "Microsoft Virtual Machine",
        "ElementName": vm.name,
        "Name": guid(vm),
        "CreationClassName": "Msvm_ComputerSystem",
        "EnabledDefault": 3,
        "EnabledState": enum("VMState", vm.state).number,
        "RequestedState": enum("VMState", vm.state).number,
        "HealthState": 5,
        "OperationalStatus": [2],
        "StatusDescriptions": ["Operating normally"],
        "Status": "OK",
        "EnhancedSessionModeState": 3,
        "InstallDate": vm.created,
        "TimeOfLastStateChange": vm.changed or vm.created,
        "OnTimeInMilliseconds": round(host.machines.uptime(vm.id) * 1000) if up else 0,
        "NumberOfNumaNodes": 1,
        "ReplicationHealth": 0,
        "ReplicationMode": 0,
        "ReplicationState": 0,
        "ResetCapability": 1,
    }


def setting_data(host: Host) -> Iterable[Found]:
    """Yield the settings of each VM, and of each checkpoint, which a careless query finds too."""
    for vm in list(host.world.vms.values()):
        yield Found(settings_of(vm), vm)
        for snapshot in list(vm.snapshots.values()):
            yield Found(settings_of(vm, snapshot), snapshot)


def settings_of(vm: Vm, snapshot: Snapshot | None = None) -> dict[str, Value]:
    """Return the values of Msvm_VirtualSystemSettingData; gaps are in MB."""
    settings = snapshot.settings if snapshot else vm.settings
    parent = snapshot.parent if snapshot else vm.current
    kind = "Snapshot" if snapshot else "System"
    return {
        **_identity(vm, snapshot),
        **_conduct(settings),
        "VirtualSystemIdentifier": guid(vm),
        "VirtualSystemType": f"Microsoft:Hyper-V:{kind}:Realized",
        "VirtualSystemSubType": f"Microsoft:Hyper-V:SubType:{settings.generation}",
        "Notes": [settings.notes],
        "ConfigurationDataRoot": vm.path,
        "ConfigurationFile": f"Virtual Machines\\{guid(vm)}.{_suffix(settings)}",
        "SnapshotDataRoot": vm.snapshot_path,
        "Parent": f'Msvm_VirtualSystemSettingData.InstanceID="Microsoft:{str(parent).upper()}"'
        if parent
        else None,
        "IsSaved": bool(snapshot.memory if snapshot else vm.saved),
        "Version": settings.version,
        "LowMmioGapSize": settings.low_gap >> 20,
        "HighMmioGapSize": settings.high_gap >> 20,
        "BIOSNumLock": settings.num_lock,
        "BootOrder": [1, 2, 3, 0],
        "BootSourceOrder": [],
        "NetworkBootPreferredProtocol": 4096,
        "IncrementalBackupEnabled": False,
        "VirtualNumaEnabled": not settings.memory.dynamic,
    }


def _suffix(settings: Settings) -> str:
    return "xml" if settings.version == "5.0" else "vmcx"


def _identity(vm: Vm, snapshot: Snapshot | None) -> dict[str, Value]:
    of = "Snapshot settings" if snapshot else "Active settings"
    return {
        "InstanceID": f"Microsoft:{guid(snapshot or vm)}",
        "Caption": "Virtual Machine Settings",
        "Description": f"{of} for the virtual machine",
        "ElementName": (snapshot or vm).name,
        "CreationTime": (snapshot or vm).created,
    }


def _conduct(settings: Settings) -> dict[str, Value]:
    return {
        "AutomaticStartupAction": ACTIONS[settings.start_action],
        "AutomaticStartupActionDelay": timedelta(seconds=settings.start_delay),
        "AutomaticShutdownAction": ACTIONS[settings.stop_action],
        "AutomaticRecoveryAction": 3,
        "UserSnapshotType": CHECKPOINTS[settings.checkpoint_type],
        "GuestControlledCacheTypes": bool(settings.extra.get("GuestControlledCacheTypes", False)),
        "LockOnDisconnect": settings.extra.get("LockOnDisconnect") == "On",
        "AutomaticSnapshotsEnabled": bool(settings.extra.get("AutomaticCheckpointsEnabled", False)),
    }


def jobs(host: Host) -> Iterable[Found]:
    """Yield the jobs that methods have started."""
    for job in list(host.world.jobs.values()):
        yield Found(methods.job_values(job), job)


def services(host: Host) -> Iterable[Found]:
    """Yield the one management service."""
    name = "Msvm_VirtualSystemManagementService"
    yield Found(
        {
            "Caption": "Virtual System Management Service",
            "ElementName": "Hyper-V Virtual System Management Service",
            "Name": "vmms",
            "OperationalStatus": [2],
            "HealthState": 5,
            "EnabledState": 2,
            "RequestedState": 12,
            "EnabledDefault": 2,
            "SystemCreationClassName": "Msvm_ComputerSystem",
            "SystemName": host.name,
            "CreationClassName": name,
            "Started": True,
        }
    )


def exchange(host: Host) -> Iterable[Found]:
    """Yield each VM's key-value exchange: what the guest's agent tells, as embedded instances."""
    for vm in list(host.world.vms.values()):
        observe(host, vm)
        report = report_of(host, vm) if vm.settings.services["Key-Value Pair Exchange"] else None
        facts = _facts(report) if report else []
        values = _service(vm, report, "Key-Value Pair Exchange")
        yield Found({**values, "GuestIntrinsicExchangeItems": list(facts)}, vm)


def _facts(report: GuestReport) -> list[str]:
    pairs = list(report.facts)
    if report.addresses:
        pairs.append(("NetworkAddressIPv4", ";".join(report.addresses)))
    return [item(name, data) for name, data in pairs]


def item(name: str, data: str) -> str:
    """Return a key-value pair as the embedded instance that WMI gives."""
    fields = (("Data", "string", data), ("Name", "string", name), ("Source", "uint16", "2"))
    inside = "".join(
        f'<PROPERTY NAME="{n}" TYPE="{kind}"><VALUE>{escape(value)}</VALUE></PROPERTY>'
        for n, kind, value in fields
    )
    return f'<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">{inside}</INSTANCE>'


def heartbeats(host: Host) -> Iterable[Found]:
    """Yield each VM's heartbeat."""
    for vm in list(host.world.vms.values()):
        observe(host, vm)
        yield Found(_service(vm, report_of(host, vm), "Heartbeat"), vm)


def _service(vm: Vm, report: GuestReport | None, name: str) -> dict[str, Value]:
    status = heartbeat(vm, report) if report else None
    enabled = vm.settings.services[name]
    return {
        "ElementName": name,
        "Name": name,
        "SystemName": guid(vm),
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "DeviceID": f"Microsoft:{guid(vm)}\\{name}",
        "InstanceID": f"Microsoft:{guid(vm)}\\{name}",
        "EnabledState": 2 if enabled else 3,
        "OperationalStatus": [CONTACT[status]] if status in CONTACT else None,
        "HealthState": 5,
    }


def _class(
    name: str,
    keys: tuple[str, ...],
    instances: Callable[[Host], Iterable[Found]],
    done: Mapping[str, Method] | None = None,
) -> CimClass:
    base = str(wmi_classes()[name]["base"])
    return CimClass(name, SPACE, keys, types(name), instances, base, done or {})


SERVICE_KEYS = ("CreationClassName", "Name", "SystemCreationClassName", "SystemName")
DEVICE_KEYS = ("DeviceID", "SystemName")
MANAGEMENT = {**methods.MANAGEMENT, "GetVirtualSystemThumbnailImage": display.thumbnail}
CLASSES = (
    _class("Msvm_ComputerSystem", ("CreationClassName", "Name"), computer_systems, methods.SYSTEM),
    _class("Msvm_VirtualSystemSettingData", ("InstanceID",), setting_data),
    _class("Msvm_VirtualSystemManagementService", SERVICE_KEYS, services, MANAGEMENT),
    _class("Msvm_ConcreteJob", ("InstanceID",), jobs),
    _class("Msvm_KvpExchangeComponent", DEVICE_KEYS, exchange),
    _class("Msvm_HeartbeatComponent", DEVICE_KEYS, heartbeats),
    _class("Msvm_VideoHead", DEVICE_KEYS, display.video_heads),
    _class("Msvm_SyntheticMouse", DEVICE_KEYS, display.mice, display.MOUSE_METHODS),
)
