"""The memory windows of the root bus, as the kernel announces them.

Only bus 0000:00 counts: pass-through devices bring buses of their own (2610:00, fbca:00), and
BARs, PnP reservations and the "available for PCI devices" hole are no windows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from harness.checks import bounds
from harness.checks.boots import Boots
from harness.checks.text import Record, records
from harness.errors import EvidenceError
from harness.evidence import Probe
from harness.units import Bytes

# pci_bus 0000:00: root bus resource [mem 0x40000000-0xfffbffff window]
# pci_bus 0000:00: resource 8 [mem 0x40000000-0xfffbffff]
# pci_bus 0000:00: resource 1 mem: [0xfc000000-0xfcffffff]               (before 2.6.34)
_WINDOW = re.compile(
    r"pci_bus 0000:00: {1,2}(?:root bus resource|resource \d{1,3}) {1,2}(?:pref )?"
    r"(?:\[mem|mem:? ?\[) ?0x([0-9a-fA-F]{1,16})- ?0x([0-9a-fA-F]{1,16})(?=[\s\])]|$)"
)
# 40000000-fffbffff : PCI Bus 0000:00
_IOMEM = re.compile(r"(?:^|\s)([0-9a-f]{4,16})-([0-9a-f]{4,16}) : PCI Bus 0000:00$")
_BRIDGE = "PCI host bridge to bus 0000:00"
_MICROSOFT = re.compile(
    r"Hypervisor detected: (?:Microsoft|MS)"
    r"|Hyper-?V(?: Host Build|: Host Build|: privilege|: features)"
)


@dataclass(frozen=True, slots=True)
class Window:
    """One window, both ends included, as the kernel prints them."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start:#x}-{self.end:#x}"


@dataclass(frozen=True, slots=True)
class RootBus:
    """The windows of bus 0000:00 in the order first named; empty where the log names none."""

    windows: tuple[Window, ...]
    hyperv: bool = False

    @property
    def low(self) -> Window | None:
        """The window between 1 MiB and 4 GiB that the gap is read from.

        Several: elsewhere the highest-starting; on Hyper-V the lowest of those that follow each
        other up to the highest.
        """
        top, least = bounds.GAP_TOP.count, bounds.LOW_WINDOW_FROM.count
        found = sorted((w for w in self.windows if least <= w.start < top), key=lambda w: w.start)
        if not found:
            return None
        last = found.pop()
        while self.hyperv and found and found[-1].end + 1 >= last.start:
            last = found.pop()
        return last

    @property
    def gap(self) -> Bytes | None:
        """4 GiB minus the low window's start."""
        return Bytes(bounds.GAP_TOP.count - self.low.start) if self.low else None

    @property
    def high(self) -> tuple[Window, ...]:
        """The windows from 4 GiB on: reported, not judged."""
        return tuple(w for w in self.windows if w.start >= bounds.GAP_TOP.count)


def parse_root_bus(text: str) -> RootBus:
    """Read the last boot in a kernel log, or the last listing of /proc/iomem."""
    scan = _Scan()
    for record in records(text):
        scan.feed(record)
    return scan.bus


@dataclass(slots=True)
class _Boot:
    """One boot; ``stamp``: of its last window line, ``row``: the last start in /proc/iomem."""

    windows: dict[Window, None] = field(default_factory=dict)
    hyperv: bool = False
    stamp: float = 0.0
    row: int = -1

    def forget(self) -> None:
        """Drop the windows: another scan of the bus, or another listing, begins."""
        self.windows, self.stamp, self.row = {}, 0.0, -1

    def feed_log(self, record: Record) -> None:
        found = _WINDOW.search(record.message)
        if not found:
            return
        if record.seconds is not None:
            if record.seconds < self.stamp:
                self.forget()
            self.stamp = record.seconds
        self.windows.setdefault(Window(int(found[1], 16), int(found[2], 16)))

    def feed_iomem(self, message: str) -> None:
        found = _IOMEM.search(message)
        if not found or not int(found[2], 16):  # all zero: read without the right to see it
            return
        start = int(found[1], 16)
        if start <= self.row:
            self.forget()
        self.row = start
        self.windows.setdefault(Window(start, int(found[2], 16)))


class _Scan:
    """One pass over the records; a new boot forgets what the one before it had."""

    def __init__(self) -> None:
        self._boots = Boots(_Boot)

    @property
    def bus(self) -> RootBus:
        return RootBus(tuple(self._boots.now.windows), self._boots.now.hyperv)

    def feed(self, record: Record) -> None:
        message = record.message
        self._boots.feed(message)
        if message.endswith(_BRIDGE):
            self._boots.now.forget()
        elif "pci_bus 0000:00" in message:
            self._boots.now.feed_log(record)
        elif message.endswith("PCI Bus 0000:00"):
            self._boots.now.feed_iomem(message)
        elif "yper" in message and _MICROSOFT.search(message):
            self._boots.now.hyperv = True


def parse_root_bus_of_a_boot(text: str) -> RootBus:
    """Read the windows from a log that must hold the boot; without one it is an EvidenceError."""
    bus = parse_root_bus(text)
    if not bus.windows and "Linux version " not in text:
        wrapped = "start of the boot (the ring buffer wrapped: boot with a larger log_buf_len=)"
        raise EvidenceError("kernel log", wrapped, text)
    if not bus.windows:
        raise EvidenceError("kernel log", "memory window of root bus 0000:00", text)
    return bus


IOMEM = Probe(("cat", "/proc/iomem"), parse_root_bus, privileged=True)
"""The same windows as the kernel holds them; without privilege every row reads 0-0."""
