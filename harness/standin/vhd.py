"""Fixed VHD files: the disk's bytes, then a footer of 512 bytes.

Source: Microsoft's "Virtual Hard Disk Image Format Specification" 1.0, "Hard Disk Footer Format".
"""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

FOOTER = 512
_LAYOUT = struct.Struct(">8sIIQI4sI4sQQHBBII16s")
_FIXED, _AT_CHECKSUM = 2, 64
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class NotVhd(ValueError):
    """The file has no valid footer of a fixed disk."""


def create(path: Path, size: int) -> None:
    """Write a new file with all of its payload allocated; nothing is left when that fails."""
    try:
        with path.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, size + FOOTER)
            os.pwrite(file.fileno(), footer(size, uuid4()), size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read(path: Path) -> tuple[int, UUID]:
    """Return a disk's size in bytes and its id; NotVhd when the footer does not fit the file."""
    length = path.stat().st_size
    with path.open("rb") as file:
        data = os.pread(file.fileno(), FOOTER, max(length - FOOTER, 0))
    if len(data) < FOOTER or data[:8] != b"conectix":
        raise NotVhd("it has no footer")
    found = _LAYOUT.unpack_from(data)
    size, kind, told = found[9], found[13], found[14]
    plain = data[:_AT_CHECKSUM] + bytes(4) + data[_AT_CHECKSUM + 4 :]
    if told != _checksum(plain) or kind != _FIXED or size != length - FOOTER:
        raise NotVhd("its footer is damaged or not a fixed disk's")
    return size, UUID(bytes=found[15])


def grow(path: Path, size: int) -> None:
    """Make a disk larger that no machine uses; its footer moves to the new end."""
    before, identity = read(path)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, size + FOOTER)
        os.pwrite(file.fileno(), footer(size, identity), size)
        os.pwrite(file.fileno(), bytes(FOOTER), before)


def footer(size: int, identity: UUID) -> bytes:
    """Return the footer of a fixed disk."""
    stamp = int((datetime.now(UTC) - _EPOCH).total_seconds())
    data = _LAYOUT.pack(
        *(b"conectix", 2, 0x10000, 0xFFFFFFFFFFFFFFFF, stamp, b"win ", 0xA0000, b"Wi2k"),
        *(size, size, *_geometry(size // 512), _FIXED, 0, identity.bytes),
    ).ljust(FOOTER, b"\0")
    return data[:_AT_CHECKSUM] + struct.pack(">I", _checksum(data)) + data[_AT_CHECKSUM + 4 :]


def _checksum(data: bytes) -> int:
    """Return the complement of the sum of the bytes, the checksum's own being 0."""
    return ~sum(data) & 0xFFFFFFFF


def _geometry(sectors: int) -> tuple[int, int, int]:
    """Return cylinders, heads and sectors per track, by the specification's appendix."""
    sectors = min(sectors, 65535 * 16 * 255)
    if sectors >= 65535 * 16 * 63:
        return sectors // 255 // 16, 16, 255
    per_track = 17
    across = sectors // per_track
    heads = max((across + 1023) // 1024, 4)
    if across >= heads * 1024 or heads > 16:
        per_track, heads = 31, 16
        across = sectors // per_track
    if across >= heads * 1024:
        per_track, heads = 63, 16
        across = sectors // per_track
    return across // heads, heads, per_track
