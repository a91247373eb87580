"""Disks as the guest's kernel sees them right now: which there are, how large, how much written.

Read is what the kernel shows without a rescan; no tool of a distribution is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.errors import EvidenceError
from harness.evidence import Probe
from harness.units import Bytes, KiB

SECTOR = Bytes(512)
"""/sys/class/block counts in these whatever the disk's own sectors are (Linux, block/genhd.c)."""

# major minor  #blocks  name
#    8       16    1048576 sdb
_PARTITION = re.compile(r"^\s*\d{1,6}\s+\d{1,7}\s+(\d{1,20})\s+(\S{1,64})\s*$", re.MULTILINE)
_WHOLE_DISK = re.compile(r"(?:sd|hd|vd|xvd)[a-z]{1,4}|nvme\d{1,4}n\d{1,4}")


def parse_disks(text: str) -> Mapping[str, Bytes]:
    """Read /proc/partitions; return the size of each whole disk."""
    if "#blocks" not in text:
        raise EvidenceError("partitions", "header line", text)
    found = {name: int(blocks) * KiB for blocks, name in _PARTITION.findall(text)}
    return {name: size for name, size in found.items() if _WHOLE_DISK.fullmatch(name)}


DISKS = Probe(("cat", "/proc/partitions"), parse_disks)


def new_disk(before: Mapping[str, Bytes], now: Mapping[str, Bytes], size: Bytes) -> str | None:
    """Return the one disk of that size that was not there before; None while there is none."""
    found = [name for name, has in now.items() if name not in before and has == size]
    if len(found) > 1:
        raise EvidenceError("partitions", f"single new disk of {size}", repr(now))
    return found[0] if found else None


def parse_sectors(text: str) -> Bytes:
    """Read a size in 512-byte sectors: one number."""
    if not text.strip().isdigit():
        raise EvidenceError("block device size", "number of sectors", text)
    return int(text) * SECTOR


def capacity(device: str) -> Probe[Bytes]:
    """Ask for the size of a disk or partition by its name: ``sdb``, ``sdb1``."""
    return Probe(("cat", f"/sys/class/block/{device}/size"), parse_sectors)


def parse_written(text: str) -> Bytes:
    """Read /sys/class/block/X/stat; return what was written to it since the boot.

    ``  340  0  22528  310  2010  15  522240  4120  0  …``: the seventh is sectors written
    (Documentation/block/stat.rst).
    """
    fields = text.split()
    if len(fields) < 11 or not fields[6].isdigit():
        raise EvidenceError("block device statistics", "eleven numbers", text)
    return int(fields[6]) * SECTOR


def written(device: str) -> Probe[Bytes]:
    """Ask how much was written to a disk since the boot."""
    return Probe(("cat", f"/sys/class/block/{device}/stat"), parse_written)


def partition_of(device: str, number: int = 1) -> str:
    """Return the name of a disk's partition: ``sdb1``, ``nvme0n1p1``."""
    return f"{device}{'p' if device[-1].isdigit() else ''}{number}"


def disk_of(node: str, known: Mapping[str, Bytes]) -> str:
    """Return the whole disk that has a device node: ``sdb`` for ``sdb1``."""
    found = [name for name in known if node in (name, partition_of(name, _number(node)))]
    if len(found) != 1:
        raise EvidenceError("partitions", f"disk of {node}", repr(known))
    return found[0]


def _number(node: str) -> int:
    digits = re.search(r"\d*$", node)
    return int(digits[0]) if digits and digits[0] else 0


def parse_checksums(text: str) -> Mapping[str, str]:
    """Read what sha256sum prints; return each file's checksum by its path."""
    rows = (line.split(None, 1) for line in text.splitlines() if line.strip())
    found = {row[1].lstrip("*"): row[0] for row in rows if len(row) == 2 and len(row[0]) == 64}
    if not found or len(found) != len(text.strip().splitlines()):
        raise EvidenceError("sha256sum", "line of checksum and path for each file", text)
    return found


def checksums(paths: tuple[str, ...]) -> Probe[Mapping[str, str]]:
    """Ask for the checksums of files; all of them have to be readable."""
    return Probe(("sha256sum", "--", *paths), parse_checksums, privileged=True)
