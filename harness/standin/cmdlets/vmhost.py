"""Get-VMHost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from harness.standin.api import Given, Streams
from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.vm_new import DEFAULT_DISKS, DEFAULT_PATH
from harness.standin.host import Host
from harness.standin.parts import scope
from harness.standin.shapes import HYPERV, build
from harness.standin.values import Value


def get_host(host: Host, _given: Given, _streams: Streams) -> Iterable[Value]:
    """Get-VMHost: the budget that the stand-in claims to have."""
    values: dict[str, Value] = {
        "LogicalProcessorCount": host.processors,
        "ResourceMeteringSaveInterval": timedelta(hours=1),
        "SupportedVmVersions": [host.release.vm_version],
        "MacAddressMinimum": "00155D000000",
        "MacAddressMaximum": "00155DFFFFFF",
        "FibreChannelWwnn": "C003FF0000FFFF00",
        "NumaSpanningEnabled": True,
        "VirtualHardDiskPath": DEFAULT_DISKS,
        "VirtualMachinePath": DEFAULT_PATH,
        "FullyQualifiedDomainName": "",
        "MemoryCapacity": host.memory,
        "Name": host.name,
        "MaximumStorageMigrations": 2,
        "MaximumVirtualMachineMigrations": 2,
        "VirtualMachineMigrationAuthenticationType": "CredSSP",
        "VirtualMachineMigrationPerformanceOption": "Compression",
        **scope(host),
    }
    name = HYPERV + "VMHost"
    return [build(name, host.release, values, f"VMHost (Name = '{host.name}')", host)]


CMDLETS = (Cmdlet("Get-VMHost", get_host),)
