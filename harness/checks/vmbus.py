"""Devices that Hyper-V offers on the VMBus, and the driver of Linux that each is for.

Sources: include/linux/hyperv.h for the classes, the ``id_table`` of each driver; read 2026-11-25.
Classes that Linux has no driver for (activation, remote desktop control, RDMA) are left out: they
stay unbound on every guest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import EvidenceError
from harness.evidence import Probe

DRIVERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "a9a0f4e7-5a45-4d96-b827-8a841e8c03e6": ("key-value exchange", ("hv_utils",)),
    "0e0b6031-5213-4934-818b-38d90ced39db": ("shutdown", ("hv_utils",)),
    "9527e630-d0ae-497b-adce-e80ab0175caf": ("time synchronisation", ("hv_utils",)),
    "57164f39-9115-4e78-ab55-382f3bd5422d": ("heartbeat", ("hv_utils",)),
    "35fa2e29-ea23-4236-96ae-3a6ebacba440": ("backup", ("hv_utils",)),
    # since 6.10 a user-space daemon copies files, on a driver that only it binds
    "34d14be3-dee4-41c8-9ae7-6b174977c192": ("guest file copy", ("hv_utils", "uio_hv_generic")),
    "525074dc-8985-46e2-8057-a307dc18a502": ("dynamic memory", ("hv_balloon",)),
    "f8615163-df3e-46c5-913f-f2d2f965ed0e": ("network", ("hv_netvsc",)),
    "32412632-86cb-44a2-9b5c-50d1417354f5": ("IDE disk", ("hv_storvsc",)),
    "ba6163d9-04a1-4d29-b605-72e2ffb1dc7f": ("SCSI controller", ("hv_storvsc",)),
    "2f9bcc4a-0069-4af3-b76b-6fd0be528cda": ("fibre channel", ("hv_storvsc",)),
    "cfa8b69e-5b4a-4cc0-b98b-8ba1a1f3f95a": ("mouse", ("hid_hyperv",)),
    "f912ad6d-2b17-48ea-bd65-f927a61c7684": ("keyboard", ("hyperv_keyboard",)),
    "da0a7802-e377-4aac-8e77-0558eb1073f8": ("display", ("hyperv_drm", "hyperv_fb")),
    "44c4f61d-4444-4400-9d52-802e27ede19f": ("PCI pass-through", ("hv_pci",)),
}
"""Class → what it is, and the drivers any one of which is right."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A device on the VMBus; ``kind`` is its class."""

    id: str
    kind: str


def parse_offered(text: str) -> tuple[Offered, ...]:
    """Read ``/sys/bus/vmbus/devices/<id>/class_id:{f8615163-…}``, one device a line."""
    found = re.findall(r"^\S{1,120}/([\w.-]+)/class_id:\{([0-9a-fA-F-]{36})\}", text, re.MULTILINE)
    if not found:
        raise EvidenceError("/sys/bus/vmbus/devices", "device", text)
    return tuple(Offered(name, kind.lower()) for name, kind in found)


def parse_bound(text: str) -> Mapping[str, str]:
    """Read ``hv_netvsc <id>``, the links in a driver's folder; return device → driver."""
    pairs = re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)
    return {device: driver for driver, device in pairs if device != "module"}


DEVICES = "/sys/bus/vmbus/devices"
CLASSES = ("find", "-L", DEVICES, "-maxdepth", "2", "-name", "class_id")
OFFERED = Probe((*CLASSES, "-exec", "grep", "-H", "", "{}", "+"), parse_offered, fails_ok=True)
BOUND = Probe(
    ("find", "/sys/bus/vmbus/drivers", "-mindepth", "2", "-type", "l", "-printf", "%h %f\\n"),
    lambda text: parse_bound(text.replace("/sys/bus/vmbus/drivers/", "")),
)
