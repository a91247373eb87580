# ruff: noqa: E501, RUF001  # samples are as long, and in as many languages, as they come
from __future__ import annotations

import pytest

from harness.checks.storage import CapacityChange, parse_storage

GROWN = "The filesystem on /dev/sdb1 is now 524032 (4k) blocks long.\n"
BANNER = "resize2fs 1.46.2 (28-Feb-2021)\n"


@pytest.mark.parametrize(
    ("before", "unit"),
    [
        ("[    0.000000] Linux version 5.7.19 (a@b) #1\n", 1),
        ("[    0.000000] Linux version 5.8.0-rc1 (a@b) #1\n", 512),
        ("[   10.000000] CPU: 0 PID: 1 Comm: x Not tainted 4.15.0-20-generic #21\n", 1),
        ("[   10.000000] CPU: 0 PID: 1 Comm: x Tainted: G        W  OE     6.1.0-9-amd64 #1\n", 512),
        ("Pid: 1, comm: x Not tainted (2.6.32-573.el6.x86_64 #1)\n", 1),
        ("Linux vm1 5.15.0-1041-azure #48-Ubuntu SMP x86_64 GNU/Linux\n", 512),
        ("Kernel 3.10.0-514.26.2.el7.x86_64 on an x86_64\n", 1),
        ("[    0.000000] Command line: BOOT_IMAGE=/vmlinuz-5.4.0-42-generic ro\n", 1),
        ("[    1.000000] sd 0:0:0:1: [sdb] 2048 512-byte logical blocks: (1 MB/1 MiB)\n", 512),
        ("[    1.000000] sd 0:0:0:1: [sdb] 4096 512-byte logical blocks: (2 MB/2 MiB)\n", 512),
        ("[    1.000000] sd 0:0:0:1: [sdb] 4 512-byte logical blocks: (2 MB/2 MiB)\n", 1),
        ("[    1.000000] sd 0:0:0:1: [sdb] 512 4096-byte logical blocks: (2 MB/2 MiB)\n", 512),
        ("[    1.000000] sd 0:0:0:1: [sdc] 4096 512-byte logical blocks: (2 MB/2 MiB)\n", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_unit_is_that_of_the_kernel_or_of_the_disk(before: str, unit: int | None) -> None:
    line = "[  100.000000] sdb: detected capacity change from 2048 to 4096\n"
    old, new = (None, None) if unit is None else (2048 * unit, 4096 * unit)
    for text in (before + line, line + before):
        assert parse_storage(text).capacity_changes == (CapacityChange("sdb", old, new),)


def test_nothing_is_nothing_in_every_unit() -> None:
    (found,) = parse_storage("sdb: detected capacity change from 4096 to 0").capacity_changes
    assert found == CapacityChange("sdb", None, 0)


def test_a_change_that_a_mailer_broke_is_whole_again() -> None:
    text = "sdb: detected capacity change from\n8 to 16\n"
    assert parse_storage(text).capacity_changes == (CapacityChange("sdb", 4096, 8192),)


def test_each_boot_counts_in_its_own_kernels_unit() -> None:
    text = "".join(
        f"[    0.000000] Linux version {version}\n"
        "[  100.000000] nvme0n1: detected capacity change from 512 to 1024\n"
        for version in ("4.18.0", "6.1.0")
    )
    found = parse_storage(text).capacity_changes
    assert [change.to_bytes for change in found] == [1024, 1024 * 512]


@pytest.mark.parametrize(
    ("line", "disks"),
    [
        ("end_request: I/O error, dev sda, sector 8", ("sda",)),
        ("blk_update_request: I/O error, dev sdbu, sector 0 op 0x1:(WRITE) flags 0x0", ("sdbu",)),
        ("print_req_error: I/O error, dev fd0, sector 0", ()),
        ("I/O error, dev sr0, sector 8 op 0x0:(READ) flags 0x80700 phys_seg 1", ()),
        ("blk_update_request: I/O error, dev sdb, sector 0 op 0x9:(WRITE_ZEROES) flags 0x0", ()),
        ("operation not supported error, dev sdb, sector 0 op 0x3:(DISCARD) flags 0x0", ()),
        ("I/O error, dev nvme0n1, sector 2048 op 0x0:(READ) flags 0x0", ("nvme0n1",)),
    ],
)
def test_io_errors_are_those_of_real_disks(line: str, disks: tuple[str, ...]) -> None:
    assert parse_storage(f"[  10.000000] {line}\n").io_errors == disks


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", None),
        (BANNER + GROWN, "grown"),
        (GROWN, "grown"),
        (BANNER, "incomplete"),
        (BANNER + "Filesystem at /dev/sdb1 is mounted on /mnt; on-line resizing required\n", "incomplete"),
        (BANNER + "The filesystem is already 524032 (4k) blocks long.  Nothing to do!\n", "nothing to do"),
        (GROWN + BANNER + "Please run 'e2fsck -f /dev/sdb1' first.\n", "failed"),
        ("SVP exécutez « e2fsck -f /dev/sdb1 » d'abord.\n", "failed"),
        ("# e2fsck -f /dev/sdb1\n" + GROWN, "grown"),
        (GROWN + "# e2fsck -f /dev/sdb1\n", "grown"),
        (BANNER + "Estimated minimum size of the filesystem: 8\n", None),
        (GROWN + BANNER + "Estimated minimum size of the filesystem: 8\n", "grown"),
        (BANNER + "resize2fs: Permission denied to resize filesystem\n", "failed"),
        (BANNER + "resize2fs: Bad magic number in super-block while trying to open /dev/sda\n", "failed"),
        ("Das Dateisystem auf /dev/sdb1 ist nun 524032 (4k) Blöcke lang.\n", "grown"),
        ("Das Dateisystem ist bereits 524032 (4k) Blöcke lang. Nichts zu tun!\n", "nothing to do"),
        ("Le système de fichiers sur /dev/sdb1 a maintenant une taille de 524032 blocs (4k).\n", "grown"),
        ("/dev/sdb1 上的文件系统大小已经调整为 524032 个块（每块 4k）。\n", "grown"),
        ("У файловій системі /dev/sdb1 тепер 524032 (4К) блоків.\n", "grown"),
        ("The filesystem on /dev/mapper/a-very-long-name-of-a-volume is\nnow 8 (4k) blocks\n", "grown"),
        ("data blocks changed from 131072 to 262144\n", "grown"),
        ("meta-data=/dev/sdb isize=512    agcount=4, agsize=65536 blks\n", None),
        ("[root@vm1 ~]# xfs_growfs /mnt\nmeta-data=/dev/sdb isize=512 agcount=4\n", "incomplete"),
        ("[root@vm1 ~]# xfs_growfs /mnt\ndata size unchanged, skipping\n", "nothing to do"),
        ("xfs_growfs: /dev/sdb1 is not a mounted XFS filesystem\n", "failed"),
        ("data size 99 too large, maximum is 8\n", "failed"),
        ("Resize '/mnt' of 'max'\nERROR: unable to resize '/mnt': No space left on device\n", "failed"),
        ("BTRFS info (device sdb): resizing devid 1\nBTRFS info (device sdb): new size for /dev/sdb is 9\n", "grown"),
        ("BTRFS info (device sdb): resize device /dev/sdb (devid 1) from 1 to 2\n", "grown"),
        ("EXT4-fs (sda1): resizing filesystem from 10 to 20 blocks\n", "incomplete"),
        ("EXT4-fs (sda1): resizing filesystem from 10 to 20 blocks\nEXT4-fs (sda1): resized filesystem to 20\n", "grown"),
        ("EXT4-fs (sda1): resizing filesystem from 10 to 20 blocks\nEXT4-fs (sda1): resized filesystem to 15\n", "incomplete"),
        ("EXT4-fs (sda1): resizing filesystem from 10 to 524032 blocks\n" + GROWN, "grown"),
        (
            GROWN + "EXT4-fs (sda1): resizing filesystem from 10 to 524032 blocks\n"
            "EXT4-fs (sda1): resized filesystem to 500000\n",
            "incomplete",
        ),
        (
            "EXT4-fs (sda1): resizing filesystem from 5 to 10 blocks\n"
            "EXT4-fs (sda1): resized filesystem to 10\n" + GROWN,
            "grown",
        ),
        ("EXT4-fs (sda1): resizing filesystem from 10 to 10 blocks\n", "nothing to do"),
        ("systemd-growfs[300]: Successfully resized \"/\" to 9.5G bytes.\n", "grown"),
        ("EXT4-fs warning (device sda1): ext4_resize_fs:99: error (-28) occurred during file system resize\n", "failed"),
    ],
)  # fmt: skip
def test_the_end_of_the_last_growth_counts(text: str, result: str | None) -> None:
    assert parse_storage(text).grow == result
