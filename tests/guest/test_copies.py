"""A copied disk is looked at before it is mounted, read without a write, and then checked."""

from __future__ import annotations

import pytest

from harness.checks.filesystems import Mounted
from harness.checks.records import checksum
from harness.errors import CommandFailed, EvidenceError
from harness.guest import copies
from harness.guest.copies import inspect
from tests.guest.answering import AnsweringGuest

ROOT = Mounted("/dev/sda1", "/", "ext4", "aa")
DATA = Mounted("/dev/sdb", "/mnt/data", "xfs", "bb")
BTRFS = Mounted("/dev/sdc", "/b", "btrfs", "cc")
RECORDS = "".join(f"{n} 5.{n}0 {checksum(n, f'5.{n}0')}\n" for n in (1, 2, 3))
DISK = """\
NAME="sdd" TYPE="disk" FSTYPE="" UUID=""
NAME="sdd1" TYPE="part" FSTYPE="ext4" UUID="aa"
"""
BARE = 'NAME="sdd" TYPE="disk" FSTYPE="{kind}" UUID="{uuid}"\n'
CLEAN = "Filesystem features:      has_journal extent\n"


def guest(**more: str | int) -> AnsweringGuest:
    table: dict[str, str | int] = {"lsblk": DISK, "dumpe2fs": CLEAN, "cat": RECORDS}
    return AnsweringGuest(table | {name.replace("_", "-"): reply for name, reply in more.items()})


def order(asked: list[str], *wanted: str) -> list[str]:
    return [word for line in asked for word in wanted if line.startswith(word)]


def test_ext4_is_read_only_and_looked_at_before_it_is_mounted() -> None:
    shell = guest()
    (one,) = inspect(shell, "/dev/sdd", (ROOT, DATA))
    assert (one.place, one.records.value.last, one.checked) == (ROOT, 3, None)
    assert one.state is not None
    steps = ("blockdev --setro /dev/sdd1", "dumpe2fs", "mount", "cat", "umount")
    assert order(shell.asked, *steps) == list(steps)
    assert "mount -o ro,noload /dev/sdd1 /run/hvcert-copy" in shell.asked


def test_xfs_is_read_without_its_log_before_the_log_is_replayed_and_checked() -> None:
    shell = guest(lsblk=BARE.format(kind="xfs", uuid="bb"), xfs_repair="")
    shell.replies["xfs_repair"] = 1
    (one,) = inspect(shell, "/dev/sdd", (ROOT, DATA))
    assert one.checked is not None
    assert (one.records.value.last, one.checked.value) == (3, 1)
    first, second = (line for line in shell.asked if line.startswith("mount"))
    assert (first, second) == (
        "mount -o ro,norecovery,nouuid /dev/sdd /run/hvcert-copy",
        "mount -o nouuid /dev/sdd /run/hvcert-copy",
    )
    assert order(shell.asked, "cat", "blockdev --setrw", "xfs_repair") == [
        "cat", "blockdev --setrw", "xfs_repair",
    ]  # fmt: skip


def test_a_log_that_cannot_be_replayed_is_what_the_check_found() -> None:
    shell = guest(lsblk=BARE.format(kind="xfs", uuid="bb"))
    shell.replies["mount -o nouuid"] = 32
    (one,) = inspect(shell, "/dev/sdd", (DATA,))
    assert one.checked is not None
    assert one.checked.value == 32


def test_btrfs_is_checked_by_its_own_tool() -> None:
    shell = guest(lsblk=BARE.format(kind="btrfs", uuid="cc"), btrfs="")
    (one,) = inspect(shell, "/dev/sdd", (BTRFS,))
    assert one.checked is not None
    assert one.checked.value == 0


def test_a_copy_that_cannot_be_mounted_holds_nothing_and_a_missing_file_no_record() -> None:
    unmountable = guest(mount=32)
    (one,) = inspect(unmountable, "/dev/sdd", (ROOT,))
    assert one.records.value.broken == "the copy cannot be mounted"
    (one,) = inspect(guest(cat=1), "/dev/sdd", (ROOT,))
    assert (one.records.value.last, one.records.value.broken) == (0, "")


def test_a_missing_tool_is_no_verdict() -> None:
    shell = guest(lsblk=BARE.format(kind="btrfs", uuid="cc"), btrfs=127)
    with pytest.raises(CommandFailed):
        inspect(shell, "/dev/sdd", (BTRFS,))


def test_a_disk_without_a_file_system_of_the_guest_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copies, "SHOWN_WITHIN", copies.SHOWN_WITHIN / 1e6)
    with pytest.raises(EvidenceError, match="LVM"):
        inspect(guest(), "/dev/sdd", (DATA,))
