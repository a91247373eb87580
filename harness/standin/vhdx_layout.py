"""Structures of a VHDX file, packed and read: [MS-VHDX] v20240423, sections 2.2 to 2.6. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from uuid import UUID

from harness.standin.crc32c import crc32c

KIB, MIB = 1 << 10, 1 << 20
SIGNATURE = b"vhdxfile"
HEADERS = (64 * KIB, 128 * KIB)
REGION_TABLES = (192 * KIB, 256 * KIB)
HEADER, TABLE = 4 * KIB, 64 * KIB
BLOCK = MIB
"""Bytes of a payload block, the smallest that is allowed: sizes in whole MiB have no odd end."""

SECTOR = 512
CHUNK = (1 << 23) * SECTOR // BLOCK
"""Payload blocks between two sector bitmap entries of the block allocation table, 2.5."""

FULLY_PRESENT = 6
_HEADER = struct.Struct("<4sIQ16s16s16sHHIQ")
_REGION = struct.Struct("<16sQII")
_ITEM = struct.Struct("<16sIIII")
_BAT = UUID("2DC27766-F623-4200-9D64-115E9BFD4A08")
_METADATA = UUID("8B7CA206-4790-4B9A-B8FE-575F050F886E")
PARAMETERS = UUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B")
DISK_SIZE = UUID("2FA54224-CD1B-4876-B211-5DBED83BF4B8")
DISK_ID = UUID("BECA12AB-B2E6-4523-93EF-C309E000C746")
LOGICAL = UUID("8141BF1D-A96F-4709-BA47-F233A8FAAB5F")
PHYSICAL = UUID("CDA348C7-445D-4471-9CC9-E9885251C556")
_OF_DISK, _REQUIRED = 2, 4


NO_LOG = UUID(int=0)
"""A header's log id when there is nothing to replay."""


class NotVhdx(ValueError):
    """The bytes are not what [MS-VHDX] asks for; the text says what is wrong."""


class Scattered(NotVhdx):
    """It may be a VHDX, but not one whose payload lies in one piece: another program's."""


@dataclass(frozen=True, slots=True)
class Header:
    """One of the two headers, 2.2.2; the valid one with the higher ``sequence`` counts."""

    sequence: int
    file_write: UUID
    data_write: UUID
    log: UUID = NO_LOG
    log_length: int = MIB
    log_offset: int = MIB

    def packed(self) -> bytes:
        """Return its 4 KiB with the checksum filled in."""
        ids = (self.file_write.bytes_le, self.data_write.bytes_le, self.log.bytes_le)
        rest = (0, 1, self.log_length, self.log_offset)
        data = _HEADER.pack(b"head", 0, self.sequence, *ids, *rest).ljust(HEADER, b"\0")
        return checked(data)

    def after(self, file_write: UUID, data_write: UUID) -> Header:
        """Return the header that takes this one's place."""
        number = self.sequence + 1
        return replace(self, sequence=number, file_write=file_write, data_write=data_write)


def read_header(data: bytes) -> Header:
    """Read a header; NotVhdx when it is none or its checksum is wrong."""
    found = _HEADER.unpack_from(data)
    if found[0] != b"head" or checked(data) != data or found[7] != 1:
        raise NotVhdx("a header is damaged")
    file_write, data_write, log = (UUID(bytes_le=raw) for raw in found[3:6])
    return Header(found[2], file_write, data_write, log, found[8], found[9])


def checked(data: bytes) -> bytes:
    """Return a structure with the checksum (bytes 4 to 8) that its other bytes have."""
    plain = data[:4] + b"\0\0\0\0" + data[8:]
    return plain[:4] + struct.pack("<I", crc32c(plain)) + plain[8:]


def region_table(bat: tuple[int, int], metadata: tuple[int, int]) -> bytes:
    """Return a region table, 2.2.3, for two regions given as (offset, length)."""
    rows = ((_BAT, *bat), (_METADATA, *metadata))
    entries = b"".join(_REGION.pack(name.bytes_le, *place, 1) for name, *place in rows)
    return checked((b"regi" + struct.pack("<III", 0, 2, 0) + entries).ljust(TABLE, b"\0"))


def read_regions(data: bytes) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (offset, length) of block allocation table and metadata."""
    if data[:4] != b"regi" or checked(data) != data:
        raise NotVhdx("a region table is damaged")
    count = struct.unpack_from("<I", data, 8)[0]
    rows = (_REGION.unpack_from(data, 16 + n * _REGION.size) for n in range(min(count, 2047)))
    found = {UUID(bytes_le=row[0]): (row[1], row[2]) for row in rows}
    if _BAT not in found or _METADATA not in found:
        raise NotVhdx("a region is missing")
    return found[_BAT], found[_METADATA]


def metadata(size: int, disk: UUID) -> bytes:
    """Return the metadata region's table and items, 2.6, of a fixed disk without parent."""
    items = (
        (PARAMETERS, struct.pack("<II", BLOCK, 1), _REQUIRED),  # 1: blocks stay allocated
        (DISK_SIZE, struct.pack("<Q", size), _REQUIRED | _OF_DISK),
        (DISK_ID, disk.bytes_le, _REQUIRED | _OF_DISK),
        (LOGICAL, struct.pack("<I", SECTOR), _REQUIRED | _OF_DISK),
        (PHYSICAL, struct.pack("<I", 4096), _REQUIRED | _OF_DISK),
    )
    table, values = b"metadata" + struct.pack("<HH20x", 0, len(items)), b""
    for name, value, flags in items:
        table += _ITEM.pack(name.bytes_le, TABLE + len(values), len(value), flags, 0)
        values += value
    return table.ljust(TABLE, b"\0") + values


def read_metadata(data: bytes) -> dict[UUID, tuple[int, bytes]]:
    """Return each item's offset in the region and its value."""
    if data[:8] != b"metadata":
        raise NotVhdx("the metadata table is damaged")
    count = struct.unpack_from("<H", data, 10)[0]
    rows = (_ITEM.unpack_from(data, 32 + n * _ITEM.size) for n in range(min(count, 2047)))
    return {UUID(bytes_le=r[0]): (r[1], data[r[1] : r[1] + r[2]]) for r in rows}


def entries(first: int, count: int, payload: int) -> bytes:
    """Return allocation table entries ``first`` and on, for blocks that lie one after another.

    The entry after each CHUNK of payload blocks is a sector bitmap's, which a disk without parent
    has not (0). ``payload``: offset of block 0 in the file.
    """
    found = []
    for index in range(first, first + count):
        chunk, within = divmod(index, CHUNK + 1)
        block = payload + (chunk * CHUNK + within) * BLOCK
        found.append(0 if within == CHUNK else block | FULLY_PRESENT)
    return struct.pack(f"<{len(found)}Q", *found)


def entry_count(size: int) -> int:
    """Return how many entries the allocation table of such a disk has, 2.5."""
    blocks = -(-size // BLOCK)
    return blocks + max(blocks - 1, 0) // CHUNK
