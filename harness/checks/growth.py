"""Did the last growth of a file system in a text succeed, and did the kernel go all the way?

Read are resize2fs (e2fsprogs 1.39 to 1.47, the languages of its catalogues), xfs_growfs (xfsprogs
2.9 to 6.x), ``btrfs filesystem resize``, systemd-growfs and cloud-init, and the lines that ext4 and
btrfs write to the kernel log. resize2fs prints the size it asked for, the kernel the one it made:
a kernel that stopped early (fixed in 6.0) shows in the second only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from harness.checks.growth_words import IS_NOW, NOTHING_TO_DO

Grow = Literal["grown", "nothing to do", "failed", "incomplete"]

_NUMBER = r"(?P<blocks>\d[\d'.,\u00a0\u202f]{0,27})"
_IS_NOW = re.compile(rf"(?:{'|'.join(IS_NOW)}) {_NUMBER}(?<=\d)")
_RESIZED_BY = re.compile(
    # Successfully resized "/mnt" to 2.0G bytes (systemd-growfs)
    # Resized root filesystem (type=ext4, val=True)         (cloud-init)
    r"\bSuccessfully resized \"|\bResized root filesystem \(type="
    # BTRFS info (device sdb): new size for /dev/sdb is 2147483648     (up to 5.11)
    r"|^BTRFS.{0,60}: new size for \S{1,80} is \d"
)
_CHANGED = re.compile(
    # data blocks changed from 131072 to 10485760                         (xfs_growfs)
    r"data blocks changed from (\d{1,20}) to (\d{1,20})"
    # BTRFS info (device sdb): resize device /dev/sdb (devid 1) from 1073741824 to 2147483648
    r"|^BTRFS.{0,60}: resize device .{1,100} from (\d{1,20}) to (\d{1,20})"
)
_NOTHING = re.compile(
    # data size unchanged, skipping                                       (xfs_growfs)
    rf"{'|'.join(NOTHING_TO_DO)}|^data size unchanged, skipping"
)
_FAILED = re.compile(
    # resize2fs: New size too large to be expressed in 32 bits; xfs_growfs: /mnt is not a mounted
    # not a change of their code: [1/3] resize2fs: remove unused variable 'c'
    r"(?:^|/|\w: )(?:resize2fs|xfs_growfs|resize\.f2fs): (?:(?![a-z])\S|.{0,80}"
    r"\b(?:not|cannot|can't|couldn't|error|failed|invalid|option|unable|unrecognized)\b)"
    # Please run 'e2fsck -f /dev/sdb1' first.
    r"|['\"\u2018\u2019\u201c\u201d\u201e\u00ab][ \u00a0\u202f]?e2fsck -fy? "
    r"|^open: .{1,80} while opening "
    r"|^Couldn't find valid filesystem superblock|^The containing partition \(or device\) is only"
    r"|^Cannot shrink this filesystem|^Resizing bigalloc file systems has"
    r"|^data size \d{1,20} too (?:large|small), "  # data size 9 too large, maximum is 8
    r"|^ERROR: (?:unable to resize|resizing of) |^ERROR: .{0,80}: not enough free space"
    r"|^EXT[234]-fs (?:warning|error).{1,200}(?:during file system resize"
    r"|online resizing is not allowed|can't (?:resize|shrink)|ext4_resize)"
    r"|\bfsadm failed: \d|Failed to resize (?:\"|filesystem)"
)
_COMMAND = (
    r"(?:/usr)?(?:/s?bin/)?(?:xfs_growfs (?!.{0,40}(?<= )-[nV]\b)"
    r"|resize2fs (?!.{0,40}(?<= )-P\b)|btrfs fi(?:lesystem)? resize )"
)
_BEGUN = re.compile(
    # resize2fs 1.46.2 (28-Feb-2021)
    r"(?:^|[\s:])resize2fs \d\.\d{1,2}[\d.]{0,6}(?:-\w{1,9})? \(|; on-line resizing required$"
    r"|^Performing an on-line resize of |^Resize '.{1,100}' of '|^Resize device id \d"
    r"|^BTRFS.{0,60}: resizing devid \d|^\[EXPERIMENTAL\] try to shrink unused space"
    # root@vm:~# xfs_growfs /mnt
    rf"|(?:[#$>+] {{0,3}}|\bsudo ){_COMMAND}[-/.\w'\"$]"
    # resize2fs /dev/sdb 4G             not: resize2fs can re-number inodes when it shrinks
    rf"|^{_COMMAND}(?:[-/.'\"$]|[\w-]{{1,60}}(?:\.\w| \d{{1,15}}[KMGTs]?(?:$|\W)))"
)
_ASKED = re.compile(
    # Resizing the filesystem on ./foo.iso to 524288 (1k) blocks.
    r"^(?:Resizing the filesystem on|Performing an on-line resize of) \S.{0,160}? to (\d{1,20}) \("
)
_ONLY_ASKS = re.compile(r"^Estimated minimum size of the filesystem: \d")  # resize2fs -P
_KERNEL = re.compile(
    # EXT4-fs (dm-5): resizing filesystem from 4294966784 to 4831837696 blocks
    # EXT4-fs (dm-5): resized to 4300000000 blocks
    # EXT4-fs (dm-5): resized filesystem to 4831837696
    r"EXT[234]-fs \([^)]{1,40}\): resiz(?:ing filesystem from (?P<old>\d{1,20})"
    r" to (?P<asked>\d{1,20})"
    r"|ed filesystem to (?P<made>\d{1,20})|ed to (?P<sofar>\d{1,20}) blocks)"
)
_PIECES = (
    "esiz", "growfs", "changed from", "unchanged", "e2fsck", "bloc", "blok", "Blöck", "new size",
    "filesystem", "open: ", "ERROR", "superblock", "partition", "online", "on-line", "Estimated",
    " too ", "fsadm",
)  # fmt: skip
"""One of them is in every text in Latin letters that a pattern here reads; most lines hold none."""


@dataclass(slots=True)
class GrowthScan:
    """One pass; a new call forgets the one before it.

    ``_asked``: the size last asked for; ``_made``: what the kernel made of it, ``_wanted``: what
    it says that it was asked for (file-system blocks all); ``_running``: it began and has not said
    that it is done.
    """

    _state: Grow | None = None
    _before: Grow | None = None
    _asked: int | None = None
    _wanted: int | None = None
    _made: int | None = None
    _running: bool = False
    _held: str = ""

    def feed(self, message: str) -> None:
        """Take one message of a kernel log or one line of a tool."""
        if message.isascii() and not any(piece in message for piece in _PIECES):
            self._held = ""
            return
        if self._held and not _IS_NOW.search(message):
            message = f"{self._held} {message}"  # broken by a mail client
        self._held = ""
        if kernel := _KERNEL.search(message):
            self._take_kernel(kernel)
        elif not self._take_result(message):
            self._take_beginning(message)

    def _take_result(self, message: str) -> bool:
        if now := _IS_NOW.search(message):
            self._take_size(int(re.sub(r"\D", "", now["blocks"])))
        elif _RESIZED_BY.search(message) or _grew(message):
            self._done("grown")
        elif _NOTHING.search(message):
            self._done("nothing to do")
        elif _FAILED.search(message):
            self._done("failed")
        else:
            return False
        return True

    def _take_size(self, blocks: int) -> None:
        """Take the tool's result; kernel lines about another size were of another call."""
        if self._wanted not in (None, blocks):
            self._made = None
        self._state, self._asked, self._running = "grown", blocks, False

    def _take_beginning(self, message: str) -> None:
        if asked := _ASKED.search(message):
            self._state, self._asked = "incomplete", int(asked[1])
        elif _BEGUN.search(message):
            if self._state != "incomplete":
                self._before = self.result
            self._state, self._running = "incomplete", False
            self._asked = self._wanted = self._made = None
        elif _ONLY_ASKS.search(message):
            self._state = self._before
        elif message.startswith("The filesystem on "):
            self._held = message[:400]

    def _take_kernel(self, said: re.Match[str]) -> None:
        if said["asked"] and said["asked"] == said["old"]:
            self._done("nothing to do")  # the kernel returns at once
            return
        if said["asked"]:
            self._asked = self._wanted = int(said["asked"])
            self._state, self._made, self._running = None, None, True
            return
        self._made = int(said["made"] or said["sofar"])
        if said["made"]:
            self._running = False
            self._state = "grown" if self._state in (None, "incomplete") else self._state

    def _done(self, state: Grow) -> None:
        self._state, self._running = state, False
        self._asked = self._wanted = self._made = None

    @property
    def result(self) -> Grow | None:
        """What came of the last growth; None where the text holds none."""
        if self._running:
            return "incomplete"
        if self._state == "grown" and None not in (self._asked, self._made):
            return "grown" if (self._made or 0) >= (self._asked or 0) else "incomplete"
        return self._state


def _grew(message: str) -> bool:
    found = _CHANGED.search(message)
    if not found:
        return False
    old, new = (int(part) for part in found.groups() if part)
    return new > old
