"""How small a disk could be made: the end of its last partition, as a host reads it.

Sources: UEFI Specification 2.10, 5.3 (GPT); the classic MBR. A disk without a partition table has
no such size (Get-VHD shows an empty MinimumSize).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

SECTOR = 512
BACKUP = 33
"""Sectors of the backup table and header behind the last partition of a GPT disk."""

_PROTECTIVE, _LARGEST = 0xEE, 1024


def minimum_size(path: Path, offset: int) -> int | None:
    """Return the smallest size in bytes that keeps every partition; None without a table."""
    with path.open("rb") as file:
        start = os.pread(file.fileno(), SECTOR, offset)
        if start[510:512] != b"\x55\xaa":
            return None
        ends = list(_mbr_ends(start))
        if start[446 + 4] != _PROTECTIVE:
            return max(ends) * SECTOR if ends else None
        header = os.pread(file.fileno(), SECTOR, offset + SECTOR)
        if header[:8] != b"EFI PART":
            return None
        at, count, length = struct.unpack_from("<QII", header, 72)
        table = os.pread(file.fileno(), min(count, _LARGEST) * length, offset + at * SECTOR)
    ends = list(_gpt_ends(table, length))
    return (max(ends) + BACKUP) * SECTOR if ends else None


def _mbr_ends(start: bytes) -> Iterator[int]:
    for at in range(446, 510, 16):
        first, count = struct.unpack_from("<II", start, at + 8)
        if start[at + 4] and count:
            yield first + count


def _gpt_ends(table: bytes, length: int) -> Iterator[int]:
    for at in range(0, len(table) - 127, max(length, 128)):
        last = struct.unpack_from("<Q", table, at + 40)[0]
        if table[at : at + 16] != bytes(16):
            yield last + 1
