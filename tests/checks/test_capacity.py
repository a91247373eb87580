"""Which kernel a message names."""

from __future__ import annotations

import pytest

from harness.checks.capacity import CapacityChange, DiskScan, kernel_named
from harness.checks.text import records


@pytest.mark.parametrize(
    ("message", "kernel"),
    [
        ("Linux version 6.6.41 (a@b)", (6, 6)),
        ("Kernel 3.10.0-514.el7.x86_64 on an x86_64", (3, 10)),
        ("Kernel 3.10.0-514.el7.x86_64 is old", None),
        ("Kernel 3.10.0-514.el7.x86_64 is old, Linux version 6.6.41", (6, 6)),
        ("Linux vm1 5.15.0-1041-azure #48", (5, 15)),
        ("Linux vm1 5.15.0-1041-azure", None),
        ("Linux vm1 5.15.0-1041-azure is old, Linux version 6.6.41", (6, 6)),
        ("5.15.0", None),
    ],
)
def test_a_kernel_is_named_by_what_stands_around_its_version(
    message: str, kernel: tuple[int, int] | None
) -> None:
    assert kernel_named(message) == kernel


def scan(text: str) -> DiskScan:
    found = DiskScan()
    for record in records(text):
        found.feed(record)
    return found


def test_a_removable_drive_s_error_does_not_hide_that_of_a_disk() -> None:
    two = f"I/O error, dev sr0, sector 0 {'-' * 80} I/O error, dev sdb, sector 1\n"
    assert list(scan(two).io_errors) == ["sdb"]


@pytest.mark.parametrize(
    ("new", "read"), [(1048576, 1048576), (2048, 1048576), (4096, None)], ids=str
)
def test_a_disk_s_own_size_tells_the_unit_where_no_kernel_is_named(
    new: int, read: int | None
) -> None:
    said = "sd 2:0:0:1: [sdb] 2048 512-byte logical blocks: (1.05 MB/1.00 MiB)\n"
    (change,) = scan(f"{said}sdb: detected capacity change from 0 to {new}\n").changes
    assert change == CapacityChange("sdb", 0, read)
