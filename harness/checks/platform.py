"""Which hypervisor the guest runs on: measured in the guest, and the host must agree.

Judges take the record as input; nothing else differs by platform.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.checks.kernel_log import KERNEL_LOG, parse_kernel_log
from harness.errors import EvidenceError
from harness.evidence import Measured, Probe

_DETECTED = re.compile(r"Hypervisor detected: (.{1,60})")


@dataclass(frozen=True, slots=True)
class Platform:
    """The names a judge expects of the guest's devices and services on one hypervisor.

    ``banner`` heads every report of such a run ("" on Hyper-V). Tuples hold alternatives: any one
    of them is right; an empty tuple means that the platform has no such device or service.
    ``memory_reports_after``: seconds from boot before which the memory driver tells the host
    nothing.
    """

    name: str
    banner: str
    framebuffer_drivers: tuple[str, ...]
    freeze_services: tuple[str, ...]
    key_value_services: tuple[str, ...]
    pointer_drivers: tuple[str, ...]
    storage_drivers: tuple[str, ...]
    network_drivers: tuple[str, ...]
    memory_drivers: tuple[str, ...]
    memory_reports_after: float = 0.0
    has_vmbus: bool = True


HYPER_V = Platform(
    name="hyper-v",
    banner="",
    framebuffer_drivers=("hyperv_drm", "hyperv_fb"),
    freeze_services=("hypervvssd", "hv-vss-daemon", "hv_vss_daemon"),
    key_value_services=("hypervkvpd", "hv-kvp-daemon", "hv_kvp_daemon"),
    pointer_drivers=("hid_hyperv", "hid-hyperv"),
    storage_drivers=("hv_storvsc",),
    network_drivers=("hv_netvsc",),
    memory_drivers=("hv_balloon",),
    memory_reports_after=45.0,  # "Max. dynamic memory size" comes at 45 to 66 s in recorded boots
)

STAND_IN = Platform(
    name="stand-in",
    banner="STAND-IN",
    framebuffer_drivers=("bochs-drm", "bochs", "virtio_gpu", "virtio-gpu"),
    freeze_services=("qemu-guest-agent",),
    key_value_services=(),
    pointer_drivers=("usbhid", "virtio_input"),
    storage_drivers=("virtio_scsi", "ata_piix", "virtio_blk"),
    network_drivers=("virtio_net",),
    memory_drivers=("virtio_balloon", "virtio_mem"),
    has_vmbus=False,
)
"""No VMBus under TCG: virtio and ACPI devices carry the same guest-visible features."""

STAND_IN_HOST = ("hvcert", "hvcert stand-in")
"""Win32_ComputerSystem Manufacturer and Model of the stand-in; a real host is of any other make."""


def parse_line(text: str) -> str:
    """Read the one line of a DMI file."""
    if not text.strip():
        raise EvidenceError("DMI", "text", text)
    return text.strip()


def parse_hypervisor(text: str) -> str:
    """Read whom the kernel recognised by CPUID: ``Hypervisor detected: Microsoft Hyper-V``.

    "" where the whole boot log names nobody (TCG's CPUID vendor is unknown to Linux); raises
    EvidenceError where the log no longer reaches back to the boot.
    """
    log = parse_kernel_log(text)
    found = [hit[1] for record in log.records if (hit := _DETECTED.match(record.message))]
    if not found and not log.reaches_back_to_boot:
        raise EvidenceError("kernel log", "start of the boot (the ring buffer wrapped)", text)
    return found[-1].strip() if found else ""


PLATFORM_PROBES: Mapping[str, Probe[str]] = {
    "DMI vendor": Probe(("cat", "/sys/class/dmi/id/sys_vendor"), parse_line),
    "DMI product": Probe(("cat", "/sys/class/dmi/id/product_name"), parse_line),
    "VMBus devices": Probe(("ls", "/sys/bus/vmbus/devices"), str.strip, fails_ok=True),
    "CPUID vendor": Probe(KERNEL_LOG.argv, parse_hypervisor, privileged=True),
}
"""Files and the boot log only: no distribution needs a package for them."""


def identify(seen: Mapping[str, Measured[str]], manufacturer: str, model: str) -> Platform:
    """Return the platform that guest and host agree on.

    ``seen`` answers PLATFORM_PROBES, the rest is the host's Win32_ComputerSystem. Raises
    EvidenceError when they disagree, or show no platform that hvcert knows.
    """
    said = {name: read.value for name, read in seen.items()}
    guest = _of_guest(said)
    host = STAND_IN if (manufacturer, model) == STAND_IN_HOST else HYPER_V
    told = ", ".join(f"{name} {value.splitlines()[:1]}" for name, value in said.items())
    if guest is None:
        raise EvidenceError("platform", f"known platform in the guest ({told})", told)
    if guest is not host:
        disagree = f"agreement: the guest shows {guest.name} ({told}), the host is {manufacturer}"
        raise EvidenceError("platform", f"{disagree} {model}", told)
    return guest


def _of_guest(said: Mapping[str, str]) -> Platform | None:
    vendor, product = said["DMI vendor"], said["DMI product"]
    vmbus, detected = bool(said["VMBus devices"]), said["CPUID vendor"]
    if (vendor, product) == ("Microsoft Corporation", "Virtual Machine"):
        return HYPER_V if vmbus and detected.startswith("Microsoft") else None
    if vendor == "QEMU":
        return STAND_IN if not vmbus and not detected.startswith("Microsoft") else None
    return None
