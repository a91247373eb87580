"""Faults of disks that grow: not told to the guest, not done at all, or with a byte changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from harness.standin.seeded.fault import Fault, Level, tampered

if TYPE_CHECKING:
    from harness.standin.host import Host
    from harness.standin.machines import DiskSpec
    from harness.standin.store import DiskFacts

BLOCK, LOOKED_AT = 4096, 512 << 20
FULL = 200
"""A block with so many different bytes is full of data: tables of a file system are not."""

FIO_MAGIC = (b"\xca\xac", b"\xac\xca")


def _unannounced(host: Host) -> None:
    host.machines = tampered(host.machines, grow=lambda _vm, _disk, _size: None)


def _does_nothing(host: Host) -> None:
    disks = host.disks

    def resize(path: Path, _size: int) -> DiskFacts:
        return disks.info(path)

    host.disks = tampered(disks, resize=resize)
    _unannounced(host)


def _flip_a_byte(host: Host) -> None:
    grow = host.machines.grow

    def grow_and_flip(vm: UUID, disk: DiskSpec, size: int) -> None:
        grow(vm, disk, size)
        _flip(disk.path, disk.offset)

    host.machines = tampered(host.machines, grow=grow_and_flip)


def _flip(path: Path, offset: int) -> None:
    """Change one byte of the first block that is full of data and not the workload's."""
    with path.open("r+b") as file:
        for at in range(offset, offset + LOOKED_AT, BLOCK):
            file.seek(at)
            block = file.read(BLOCK)
            if len(set(block)) >= FULL and block[:2] not in FIO_MAGIC:
                file.seek(at + 7)
                file.write(bytes([block[7] ^ 1]))
                return


FAULTS = (
    Fault(
        "disk-growth-unannounced",
        Level.HOST,
        "a disk that grows while its VM runs is not announced to the guest",
        "Machines.grow",
        _unannounced,
    ),
    Fault(
        "disk-resize-does-nothing",
        Level.HOST,
        "Resize-VHD reports success and does nothing",
        "DiskStore.resize",
        _does_nothing,
    ),
    Fault(
        "disk-byte-flipped",
        Level.HOST,
        "when a disk grows, one byte of the data on it is changed",
        "Machines.grow",
        _flip_a_byte,
    ),
)
