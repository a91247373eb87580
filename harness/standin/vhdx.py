"""Fixed VHDX files whose payload lies in one piece at the end of the file.

So QEMU can open the payload as raw with an offset, and it can grow while a machine uses it: the
file gets longer, and the structures before the payload say so.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from harness.standin import vhdx_layout as layout
from harness.standin.vhdx_layout import MIB, NotVhdx, Scattered

METADATA = 2 * MIB
TABLE = 3 * MIB
CREATOR = "hvcert stand-in"
ROOM = 128 << 30
"""The allocation table has room for a disk of this many bytes, or of four times its first size."""


@dataclass(frozen=True, slots=True)
class FixedVhdx:
    """What the structures of a file say: ``payload`` is where block 0 lies, sizes in bytes."""

    path: Path
    size: int
    payload: int
    identifier: str
    table: tuple[int, int]
    size_at: int
    header: layout.Header
    spare: int  # offset of the header that does not count now


def create(path: Path, size: int) -> None:
    """Write a new file with all of its payload allocated; nothing is left when that fails."""
    room = layout.entry_count(max(4 * size, ROOM)) * 8
    table = (TABLE, -(-room // MIB) * MIB)
    payload = sum(table)
    regions = layout.region_table(table, (METADATA, MIB))
    header = layout.Header(1, uuid4(), uuid4())
    pieces = [
        (0, layout.SIGNATURE + CREATOR.encode("utf-16-le")),
        (layout.HEADERS[0], header.packed()),
        (layout.HEADERS[1], header.after(header.file_write, header.data_write).packed()),
        *((at, regions) for at in layout.REGION_TABLES),
        (METADATA, layout.metadata(size, uuid4())),
        (TABLE, layout.entries(0, layout.entry_count(size), payload)),
    ]
    try:
        with path.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, payload + _whole(size))
            _write(file.fileno(), pieces)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read(path: Path) -> FixedVhdx:
    """Read a file of this kind; NotVhdx says what is wrong with it.

    A log that would have to be replayed, and payload in more than one piece, are refused: neither
    is ever written here.
    """
    with path.open("rb") as file:
        if file.read(8) != layout.SIGNATURE:
            raise NotVhdx("it is no VHDX file")
        header, spare = _headers(os.pread(file.fileno(), layout.HEADERS[1] + layout.HEADER, 0))
        (at, length), (meta, size) = layout.read_regions(_table(file.fileno()))
        items = layout.read_metadata(os.pread(file.fileno(), size, meta))
        if {layout.DISK_SIZE, layout.DISK_ID, layout.PARAMETERS} - items.keys():
            raise NotVhdx("an item of its metadata is missing")
        size_at, raw = items[layout.DISK_SIZE]
        found = FixedVhdx(
            path,
            int.from_bytes(raw, "little"),
            at + length,
            str(UUID(bytes_le=items[layout.DISK_ID][1])).upper(),
            (at, length),
            meta + size_at,
            header,
            spare,
        )
        _verify(found, os.pread(file.fileno(), layout.entry_count(found.size) * 8, at))
        if os.fstat(file.fileno()).st_size < found.payload + _whole(found.size):
            raise NotVhdx("the file ends before its last block")
    return found


def grow(path: Path, size: int) -> None:
    """Make the disk larger, also while a machine has its payload open.

    The order is safe at every moment: space, then table entries beyond the disk's end, then the
    disk's size, then both headers, one after the other.
    """
    now = read(path)
    count, known = layout.entry_count(size), layout.entry_count(now.size)
    if count * 8 > now.table[1]:
        raise NotVhdx(f"its allocation table has no room for {size >> 30} GiB")
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, now.payload + _whole(size))
        more = layout.entries(known, count - known, now.payload)
        _write(file.fileno(), [(now.table[0] + known * 8, more)])
        _write(file.fileno(), [(now.size_at, size.to_bytes(8, "little"))])
        new = now.header.after(uuid4(), uuid4())
        _write(file.fileno(), [(now.spare, new.packed())])
        other = next(at for at in layout.HEADERS if at != now.spare)
        _write(file.fileno(), [(other, new.after(new.file_write, new.data_write).packed())])


def _whole(size: int) -> int:
    return -(-size // layout.BLOCK) * layout.BLOCK


def _write(descriptor: int, pieces: list[tuple[int, bytes]]) -> None:
    for at, data in pieces:
        os.pwrite(descriptor, data, at)
    os.fdatasync(descriptor)


def _headers(start: bytes) -> tuple[layout.Header, int]:
    """Return the header that counts and the offset of the other one."""
    found: dict[int, layout.Header] = {}
    for at in layout.HEADERS:
        try:
            found[at] = layout.read_header(start[at : at + layout.HEADER])
        except NotVhdx:
            continue
    if not found:
        raise NotVhdx("both headers are damaged")
    at = max(found, key=lambda a: found[a].sequence)
    if found[at].log.int:
        raise NotVhdx("its log has to be replayed")
    return found[at], next(a for a in layout.HEADERS if a != at)


def _table(descriptor: int) -> bytes:
    for at in layout.REGION_TABLES:
        data = os.pread(descriptor, layout.TABLE, at)
        if data[:4] == b"regi" and layout.checked(data) == data:
            return data
    raise NotVhdx("both region tables are damaged")


def _verify(found: FixedVhdx, table: bytes) -> None:
    wanted = layout.entries(0, layout.entry_count(found.size), found.payload)
    if table != wanted:
        raise Scattered("its payload does not lie in one piece at the end")
