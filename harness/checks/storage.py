"""What a text says of disks and file systems: sizes that changed, I/O errors, the last growth."""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks.capacity import CapacityChange, DiskScan
from harness.checks.growth import Grow, GrowthScan
from harness.checks.text import records

__all__ = ["CapacityChange", "Grow", "Storage", "parse_storage"]


@dataclass(frozen=True, slots=True)
class Storage:
    """``io_errors``: disks in the order first named, without floppies and optical drives."""

    capacity_changes: tuple[CapacityChange, ...]
    io_errors: tuple[str, ...]
    grow: Grow | None


def parse_storage(text: str) -> Storage:
    """Read a kernel log, the output of the growing tools, or both in one text."""
    disks, growth = DiskScan(), GrowthScan()
    for record in records(text):
        disks.feed(record)
        growth.feed(record.message)
    return Storage(disks.changes, tuple(disks.io_errors), growth.result)
