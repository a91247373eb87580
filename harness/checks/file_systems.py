"""File systems as data: how each is made, grown while mounted, and checked when it is not.

Sources: mke2fs(8), resize2fs(8), e2fsck(8); mkfs.xfs(8), xfs_growfs(8), xfs_repair(8).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileSystem:
    """``make`` takes a label of at most 12 characters and a device; ``grow`` device and mount.

    ``check`` takes a device that is not mounted, changes nothing, and ends with status 0 only when
    it finds nothing wrong. ``programs``: what all this needs.
    """

    name: str
    programs: tuple[str, ...]
    make: Callable[[str, str], Argv]
    grow: Callable[[str, str], Argv]
    check: Callable[[str], Argv]


EXT4 = FileSystem(
    name="ext4",
    programs=("mkfs.ext4", "resize2fs", "e2fsck"),
    make=lambda label, device: ("mkfs.ext4", "-q", "-F", "-L", label, device),
    grow=lambda device, _: ("resize2fs", device),
    check=lambda device: ("e2fsck", "-f", "-n", device),
)
XFS = FileSystem(
    name="xfs",
    programs=("mkfs.xfs", "xfs_growfs", "xfs_repair"),
    make=lambda label, device: ("mkfs.xfs", "-q", "-f", "-L", label, device),
    grow=lambda _, mount: ("xfs_growfs", mount),
    check=lambda device: ("xfs_repair", "-n", device),
)
