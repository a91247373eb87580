"""Faults of disks that grow: not told to the guest, not done at all, or with a byte changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from harness.standin.cmdlet import Cmdlet
from harness.standin.cmdlets.vhd_resize import resize_vhd
from harness.standin.seeded.fault import Fault, Level, tampered

if TYPE_CHECKING:
    from harness.standin.api import Given, Streams
    from harness.standin.host import Host
    from harness.standin.machines import DiskSpec
    from harness.standin.store import DiskFacts
    from harness.standin.values import Value

BLOCK, LOOKED_AT = 4096, 512 << 20
FULL = 200
"""A block with so many different bytes is full of data: tables of a file system are not."""

FIO_MAGIC = (b"\xca\xac", b"\xac\xca")
FIO_BLOCK = 1 << 20
"""Bytes; fio's mark stands at the beginning of each of its blocks, which has at most so many."""


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
    marked = offset
    with path.open("r+b") as file:
        for at in range(offset, offset + LOOKED_AT, BLOCK):
            file.seek(at)
            block = file.read(BLOCK)
            if block[:2] in FIO_MAGIC:
                marked = at + FIO_BLOCK
            if at >= marked and len(set(block)) >= FULL:
                file.seek(at + 7)
                file.write(bytes([block[7] ^ 1]))
                return


def _only_in_metadata(host: Host) -> None:
    """Show the size that was asked for; file and machine stay as they are."""
    whole, shown = host.disks, dict[Path, int]()

    def info(path: Path) -> DiskFacts:
        facts = whole.info(path)
        return cast("DiskFacts", _Shown(facts, shown[path])) if path in shown else facts

    def resize(path: Path, size: int) -> DiskFacts:
        shown[path] = size
        return info(path)

    host.disks = tampered(whole, info=info, resize=resize)
    _unannounced(host)


class _Shown:
    def __init__(self, facts: DiskFacts, size: int) -> None:
        self._facts, self.virtual_size = facts, size

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the facts have
        return getattr(self._facts, name)


def _another(host: Host) -> None:
    """Make a disk larger that nobody asked for: a new one beside the one that was named."""
    whole = host.disks

    def resize(path: Path, size: int) -> DiskFacts:
        other = path.with_name(f"{path.stem}-other{path.suffix}")
        if not other.exists():
            whole.create(other, whole.info(path).virtual_size)
        whole.resize(other, size)
        return whole.info(path)

    host.disks = tampered(whole, resize=resize)
    _unannounced(host)


def _accept_any(host: Host) -> None:
    """Report success for a resize that is refused, which is then not done."""

    def body(host: Host, given: Given, streams: Streams) -> Iterable[Value]:
        yield from resize_vhd(host, given, tampered(streams, error=lambda _record: None))

    host.cmdlets["Resize-VHD"] = Cmdlet("Resize-VHD", body)


FAULTS = (
    Fault(
        "resize-limits-unchecked",
        Level.HOST,
        "Resize-VHD reports success for what it has to refuse",
        "Host.cmdlets",
        _accept_any,
    ),
    Fault(
        "resize-in-metadata-only",
        Level.HOST,
        "Resize-VHD changes the size that the host shows of a disk, and not the disk",
        "DiskStore.info, DiskStore.resize",
        _only_in_metadata,
    ),
    Fault(
        "resize-of-wrong-disk",
        Level.HOST,
        "Resize-VHD makes another disk larger than the one that was named",
        "DiskStore.resize",
        _another,
    ),
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
