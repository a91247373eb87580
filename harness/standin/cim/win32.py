"""The Win32 classes of root/cimv2 that a harness asks: what the host says of itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime

from harness.standin.cim.model import CimClass, Found
from harness.standin.host import Host, now
from harness.standin.lifecycle import free_memory
from harness.standin.values import Value

SPACE = "root/cimv2"
BOOTED = datetime(2024, 1, 1, tzinfo=UTC)
OS = {
    "Caption": "string", "Version": "string", "BuildNumber": "string", "CSName": "string",
    "OSArchitecture": "string", "TotalVisibleMemorySize": "uint64", "FreePhysicalMemory": "uint64",
    "ProductType": "uint32", "OSLanguage": "uint32", "LocalDateTime": "datetime",
    "LastBootUpTime": "datetime", "Status": "string", "Name": "string",
}  # fmt: skip
COMPUTER = {
    "Name": "string", "Manufacturer": "string", "Model": "string", "HypervisorPresent": "boolean",
    "NumberOfProcessors": "uint32", "NumberOfLogicalProcessors": "uint32",
    "TotalPhysicalMemory": "uint64", "PartOfDomain": "boolean", "Domain": "string",
    "Workgroup": "string", "SystemType": "string", "OEMStringArray": "string[]",
}  # fmt: skip
DISK = {
    "DeviceID": "string", "DriveType": "uint32", "Size": "uint64", "FreeSpace": "uint64",
    "FileSystem": "string", "VolumeName": "string", "Description": "string", "Name": "string",
}  # fmt: skip
BIOS = {
    "Name": "string", "Manufacturer": "string", "Version": "string", "SMBIOSBIOSVersion": "string",
    "SerialNumber": "string", "SoftwareElementID": "string",
}  # fmt: skip
MAKER, MODEL = "hvcert", "hvcert stand-in"
SEEDED = "broken on purpose: "
"""Begins an OEM string that names a seeded fault: no run against such a host passes for clean."""


def _os(host: Host) -> Iterable[Found]:
    """Memory is in KiB, of the budget that the host claims to have."""
    number = "6.3" if host.release.build < 10000 else "10.0"
    yield Found(
        {
            "Caption": host.release.caption,
            "Version": f"{number}.{host.release.build}",
            "BuildNumber": str(host.release.build),
            "CSName": host.name,
            "OSArchitecture": "64-bit",
            "TotalVisibleMemorySize": host.memory >> 10,
            "FreePhysicalMemory": free_memory(host) >> 10,
            "ProductType": 3,
            "OSLanguage": 1033,
            "LocalDateTime": now(),
            "LastBootUpTime": BOOTED,
            "Status": "OK",
            "Name": f"{host.release.caption}|C:\\Windows",
        }
    )


def _computer(host: Host) -> Iterable[Found]:
    yield Found(
        {
            "Name": host.name,
            "Manufacturer": MAKER,
            "Model": MODEL,
            "HypervisorPresent": True,
            "NumberOfProcessors": 1,
            "NumberOfLogicalProcessors": host.processors,
            "TotalPhysicalMemory": host.memory,
            "PartOfDomain": False,
            "Domain": "WORKGROUP",
            "Workgroup": "WORKGROUP",
            "SystemType": "x64-based PC",
            "OEMStringArray": [f"{SEEDED}{name}" for name in host.seeded],
        }
    )


def _disks(host: Host) -> Iterable[Found]:
    """C: and what other drives the host has; all lie on one file system of this machine."""
    drives = {path.name for path in host.files.iterdir() if path.is_dir() and len(path.name) == 1}
    for letter in sorted(drives | {"C"}):
        usage = shutil.disk_usage(host.files)
        values: dict[str, Value] = {
            "DeviceID": f"{letter}:",
            "Name": f"{letter}:",
            "DriveType": 3,
            "Size": usage.total,
            "FreeSpace": usage.free,
            "FileSystem": "NTFS",
            "VolumeName": "",
            "Description": "Local Fixed Disk",
        }
        yield Found(values)


def _bios(_: Host) -> Iterable[Found]:
    yield Found(
        {
            "Name": MODEL,
            "Manufacturer": MAKER,
            "Version": f"{MAKER} - 1",
            "SMBIOSBIOSVersion": "1",
            "SerialNumber": "0",
            "SoftwareElementID": MODEL,
        }
    )


CLASSES = (
    CimClass("Win32_OperatingSystem", SPACE, ("Name",), lambda _: OS, _os, "CIM_OperatingSystem"),
    CimClass("Win32_ComputerSystem", SPACE, ("Name",), lambda _: COMPUTER, _computer,
             "CIM_UnitaryComputerSystem"),
    CimClass("Win32_LogicalDisk", SPACE, ("DeviceID",), lambda _: DISK, _disks, "CIM_LogicalDisk"),
    CimClass("Win32_BIOS", SPACE, ("SoftwareElementID",), lambda _: BIOS, _bios, "CIM_BIOSElement"),
)  # fmt: skip
