"""Disks whose size the kernel saw change, in bytes where the text tells the unit, and I/O errors.

The kernel prints one text with two units: block devices' sizes in bytes up to 5.7, in 512-byte
sectors since 5.8 (``set_capacity_and_notify`` in block/genhd.c)::

    sdb: detected capacity change from 150317101056 to 257688006656       (2.6.28 to 5.7: bytes)
    sdd: detected capacity change from 122880000 to 0                     (5.8 and later: sectors)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from harness.checks.text import Record

SECTOR = 512
SECTORS_SINCE = (5, 8)
"""First kernel that prints sectors."""

_CHANGE = re.compile(
    r"(?P<disk>[\w!/.:+-]{1,64}): detected capacity change from (?P<old>\d{1,20})"
    r" to (?P<new>\d{1,20})"
)
_CUT = re.compile(  # where a mailer broke the line
    r"[\w!/.:+-]{1,64}: detected capacity(?: change(?: from(?: \d{1,20}(?: to)?)?)?)?$"
)
# sd 2:0:0:1: [sdb] 503296888 512-byte logical blocks: (257 GB/239 GiB)
# virtio_blk virtio1: [vdb] new size: 4194304 512-byte logical blocks (2.15 GB/2.00 GiB)
# SCSI device sdb: 503296888 512-byte hdwr sectors (257688 MB)            (2.6.18)
_BLOCKS = re.compile(
    r"(?:\[|SCSI device )(?P<disk>[a-z][\w!/-]{1,31})(?:\]|:) (?:new size: )?"
    r"(?P<count>\d{1,20}) (?P<size>\d{3,6})-byte (?:logical blocks|hardware sectors|hdwr sectors)"
)
_VERSION = re.compile(
    r"(?:\bLinux version |ainted:?[ A-Z(\[\]=_,]{1,80}?|\bKernel |BOOT_IMAGE=\S{0,80}?vmlinu[xz]-"
    r"|\bLinux \S{1,64} )"
    r"(?P<major>\d{1,2})\.(?P<minor>\d{1,3})[.\w+-]*(?P<rest> on an | #\d)?"
)
# I/O error, dev sdb, sector 6284824 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2        (5.19)
# blk_update_request: I/O error, dev fd0, sector 0      print_req_error:    end_request:    (older)
_IO_ERROR = re.compile(r"I/O error, dev (?P<disk>[\w!/.+-]{1,64}),?(?P<rest>.{0,80})")
_REMOVABLE = re.compile(r"(?:sr|fd|scd)\d")
_MAY_BE_UNKNOWN = re.compile(r"op 0x[0-9a-f]{1,2}:\((?:DISCARD|WRITE_ZEROES|WRITE_SAME|SECURE_)")


@dataclass(frozen=True, slots=True)
class CapacityChange:
    """One "detected capacity change" line; None where the text does not tell the unit."""

    disk: str
    from_bytes: int | None
    to_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A line as printed, and the kernel (major, minor) that the text had named before it."""

    disk: str
    old: int
    new: int
    kernel: tuple[int, int] | None


@dataclass(slots=True)
class DiskScan:
    """One pass over the records; ``changes`` decides the units when everything was read."""

    io_errors: dict[str, None] = field(default_factory=dict)
    _seen: list[_Seen] = field(default_factory=list)
    _bytes: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    _kernel: tuple[int, int] | None = None
    _first: tuple[int, int] | None = None
    _cut: str = ""

    def feed(self, record: Record) -> None:
        """Take one record."""
        message = f"{self._cut} {record.message}" if self._cut else record.message
        self._cut = ""
        if "detected capacity" in message:
            if cut := _CUT.search(message):
                self._cut = cut[0]
            for found in _CHANGE.finditer(message):
                old, new = int(found["old"]), int(found["new"])
                self._seen.append(_Seen(found["disk"], old, new, self._kernel))
        elif "-byte " in message and (blocks := _BLOCKS.search(message)):
            count, size = int(blocks["count"]), int(blocks["size"])
            self._bytes.setdefault(blocks["disk"], set()).add((count, size))
        elif "I/O error, dev" in message:
            self._take_error(message)
        self._take_version(message)

    def _take_error(self, message: str) -> None:
        for found in _IO_ERROR.finditer(message):
            if _REMOVABLE.match(found["disk"]) or _MAY_BE_UNKNOWN.search(found["rest"]):
                continue
            self.io_errors.setdefault(found["disk"])

    def _take_version(self, message: str) -> None:
        kernel = kernel_named(message)
        if kernel is not None:
            self._kernel = kernel
            self._first = self._first or kernel

    @property
    def changes(self) -> tuple[CapacityChange, ...]:
        """Every change in the order printed."""
        return tuple(self._decide(seen) for seen in self._seen)

    def _decide(self, seen: _Seen) -> CapacityChange:
        unit = self._unit(seen)
        old, new = (
            0 if not count else None if unit is None else count * unit
            for count in (seen.old, seen.new)
        )
        return CapacityChange(seen.disk, old, new)

    def _unit(self, seen: _Seen) -> int | None:
        """Return bytes per unit: by the kernel, else by the disk's own block count, else not.

        A number of bytes is a multiple of 512 on every disk: any other is one of sectors, also
        where a distribution's older kernel has the newer block layer.
        """
        if seen.old % SECTOR or seen.new % SECTOR:
            return SECTOR
        if kernel := seen.kernel or self._first:
            return SECTOR if kernel >= SECTORS_SINCE else 1
        for count, size in self._bytes.get(seen.disk, ()):
            total = count * size
            if total and total in (seen.old * SECTOR, seen.new * SECTOR):
                return SECTOR
            if total and total in (seen.old, seen.new):
                return 1
        return None


def kernel_named(message: str) -> tuple[int, int] | None:
    """Return the running kernel's (major, minor) where a message names it.

    ``Linux version 6.6.41``, ``Not tainted 5.15.0-rc1+ #15``, ``Linux vm1 5.15.0-1041-azure #48``,
    ``Kernel 3.10.0-514.el7.x86_64 on an x86_64``, ``BOOT_IMAGE=/vmlinuz-5.4.0-42-generic``.
    """
    if "." not in message:
        return None
    for found in _VERSION.finditer(message):
        said = found[0]
        if said.startswith("Kernel ") and found["rest"] != " on an ":
            continue
        named = said.startswith("Linux ") and not said.startswith("Linux version ")
        if named and not (found["rest"] or "").startswith(" #"):
            continue
        return int(found["major"]), int(found["minor"])
    return None
