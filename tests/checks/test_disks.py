"""Disks by /proc/partitions and /sys, and files by their checksums."""

from __future__ import annotations

import pytest

from harness.checks import disks
from harness.errors import EvidenceError
from harness.units import Bytes, GiB, KiB, MiB

PARTITIONS = """major minor  #blocks  name

   2        0          4 fd0
  11        0    1048575 sr0
   8        0    4194304 sda
   8        1    4193280 sda1
   8       16    1048576 sdb
 259        0    2097152 nvme0n1
 259        1    2096128 nvme0n1p1
 253        0    2097152 dm-0
   7        0          4 loop0
"""
KNOWN = {"sda": 4 * GiB, "sdb": 1 * GiB, "nvme0n1": 2 * GiB}


def test_only_whole_disks_count() -> None:
    assert disks.parse_disks(PARTITIONS) == KNOWN


def test_a_new_disk_is_known_by_its_size() -> None:
    before = {"sda": 4 * GiB}
    assert disks.new_disk(before, KNOWN, 1 * GiB) == "sdb"
    assert disks.new_disk(before, {"sda": 4 * GiB}, 1 * GiB) is None
    assert disks.new_disk({}, KNOWN, 3 * GiB) is None
    with pytest.raises(EvidenceError, match="single new disk"):
        disks.new_disk({}, {"sdb": GiB, "sdc": GiB}, GiB)


def test_sizes_are_in_sectors_of_512_bytes() -> None:
    assert disks.parse_sectors("2097152\n") == 1 * GiB
    assert disks.capacity("sdb1").argv == ("cat", "/sys/class/block/sdb1/size")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (disks.parse_disks, "cat: /proc/partitions: No such file"),
        (disks.parse_sectors, ""),
        (disks.parse_sectors, "-1"),
        (disks.parse_written, "1 2 3"),
        (disks.parse_written, "1 2 3 4 5 6 x 8 9 10 11"),
        (disks.parse_written, ""),
        (disks.parse_checksums, ""),
        (disks.parse_checksums, "sha256sum: /mnt/a: Input/output error"),
        (disks.parse_checksums, f"{'a' * 64}  /mnt/a\nsha256sum: /mnt/b: Input/output error\n"),
    ],
)
def test_what_cannot_be_read_is_an_error(parse: object, text: str) -> None:
    assert callable(parse)
    with pytest.raises(EvidenceError):
        parse(text)


def test_what_was_written_is_the_seventh_number() -> None:
    stat = "     340        0    22528      310     2010       15   522240     4120        0 0 0\n"
    assert disks.parse_written(stat) == Bytes(522240 * 512)
    assert disks.parse_written(stat) == 255 * MiB


def test_checksums_are_read_with_spaces_and_binary_marks() -> None:
    text = f"{'a' * 64}  /mnt/x y\n{'b' * 64} */mnt/b\n{'c' * 64}  X\n"
    assert disks.parse_checksums(text) == {"/mnt/x y": "a" * 64, "/mnt/b": "b" * 64, "X": "c" * 64}


@pytest.mark.parametrize(
    ("disk", "partition"), [("sdb", "sdb1"), ("nvme0n1", "nvme0n1p1"), ("sdaa", "sdaa1")]
)
def test_partitions_are_named_as_the_kernel_names_them(disk: str, partition: str) -> None:
    assert disks.partition_of(disk) == partition
    known = {"sda": GiB, disk: GiB}
    assert disks.disk_of(partition, known) == disks.disk_of(disk, known) == disk
    assert disks.disk_of("sda2", known) == "sda"


def test_a_node_of_no_known_disk_is_an_error() -> None:
    with pytest.raises(EvidenceError):
        disks.disk_of("dm-0", {"sda": 4 * KiB})
