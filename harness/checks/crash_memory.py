"""How much memory the kernel holds back for the capture kernel, as the kernel or a tool states it.

Counted is the main reservation: the "low" one beside it (for DMA below 4 GiB) is not, nor is a
size that is merely asked for (``crashkernel=256M``), suggested or recommended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = r"0x[0-9a-f]{1,16} ?- {1,2}0x[0-9a-f]{1,16}"
_RESERVED = re.compile(
    # Reserving 512MB of memory at 1424MB for crashkernel (System RAM: 65439MB)   (up to 6.6)
    r"\bReserving (\d{1,8})MB of memory at .{1,20} for crashkernel"
    # crashkernel reserved: 0x0000000060000000 - 0x0000000074000000 (320 MB)      (since 6.7; arm64)
    # crashkernel: reserved 0x0000000060000000 - 0x0000000074000000 (320 MB)      (riscv)
    rf"|\bcrashkernel(?: reserved:|: reserved) {_RANGE} {{1,2}}(?:@ )?\((\d{{1,8}}) ?MB\)"
    # Reserved 256MB memory for crash kernel                                     (kdumpctl showmem)
    r"|\bReserved (\d{1,8}) ?MB memory for crash kernel"
    # Reserved crashkernel:    256M                                              (kdumpctl estimate)
    r"|^Reserved crashkernel: {1,8}(\d{1,8})M"
    # fadump: Reserved 512MB of memory at 0x00000020000000 (System RAM: 2048MB)  (POWER firmware)
    r"|\bfadump: Reserved (\d{1,8})MB of memory at "
)
_REFUSED = re.compile(
    # crashkernel reservation failed - memory is in use.        crashkernel: memory value expected
    r"\bcrashkernel(?: low)?:? reservation failed|\bcrashkernel: (?:[Mm]emory value expected"
    r"|'.' expected|end <= start|invalid size|unrecognized char|wrong|couldn't allocate)"
    r"|\bcrashkernel size resulted in zero"
    r"|\b[Cc]annot (?:allocate|reserve) (?:.{0,20} )?crashkernel"
    r"|[Mm]emory for crashkernel is not reserved|No memory reserved for crash kernel"
    r"|No crashkernel memory reserved|\bReserved 0 ?MB memory for"
)
_IOMEM = re.compile(r"(?:^|\s)(?P<start>[0-9a-f]{4,16})-(?P<end>[0-9a-f]{4,16}) : Crash kernel$")
_SIZE_FILE = re.compile(r"\bcat .{0,20}/sys/kernel/kexec_crash_size$")
_SIZE = re.compile(r"(?:kexec_crash_size:? ?=? ?)(?P<bytes>\d{1,14})$")
_MIB = 1 << 20


@dataclass(slots=True)
class ReservationScan:
    """One pass; ``mib`` is None where it was refused or nobody states it."""

    mib: int | None = None
    refused: bool = False
    _size_follows: bool = False

    def feed(self, message: str) -> None:
        """Take one message of the kernel, a tool's line, or a row of /proc/iomem."""
        if self._size_follows:
            self._size_follows = False
            if message.isascii() and message.isdigit() and len(message) <= 14:
                self._take_bytes(int(message))
        if found := _RESERVED.search(message):
            stated = int(next(size for size in found.groups() if size))
            self.mib, self.refused = stated or None, not stated
        elif _REFUSED.search(message):
            self.mib, self.refused = None, True
        elif row := _IOMEM.search(message):
            self._take_row(int(row["start"], 16), int(row["end"], 16))
        elif size := _SIZE.search(message):
            self._take_bytes(int(size["bytes"]))
        elif _SIZE_FILE.search(message):
            self._size_follows = True

    def _take_bytes(self, size: int) -> None:
        self.mib = size // _MIB or None

    def _take_row(self, start: int, end: int) -> None:
        """Take a row of /proc/iomem; of several the low one comes first."""
        if end:  # else read without the right to see it
            self._take_bytes(end + 1 - start)
