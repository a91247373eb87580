"""Which package brings a program: the names of Debian, and where other families differ."""

from __future__ import annotations

from collections.abc import Mapping

DEBIAN: Mapping[str, str] = {
    "fio": "fio",
    "stress-ng": "stress-ng",
    "mkfs.ext4": "e2fsprogs",
    "resize2fs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "dumpe2fs": "e2fsprogs",
    "mkfs.xfs": "xfsprogs",
    "xfs_growfs": "xfsprogs",
    "xfs_repair": "xfsprogs",
    "partx": "util-linux",
    "blockdev": "util-linux",
    "lsblk": "util-linux",
    "findmnt": "util-linux",
    "curl": "curl",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
    "ssh-keyscan": "openssh-client",
    "exportfs": "nfs-kernel-server",
    "mount.nfs": "nfs-common",
    "kexec": "kexec-tools",
    "makedumpfile": "makedumpfile",
    "modinfo": "kmod",
    "python3": "python3",
    "sudo": "sudo",
    "sfdisk": "fdisk",
    "sgdisk": "gdisk",
    "growpart": "cloud-guest-utils",
    "btrfs": "btrfs-progs",
    "mksquashfs": "squashfs-tools",
    "ab": "apache2-utils",
    "crash": "crash",
    "evtest": "evtest",
}
"""Debian and Ubuntu."""

RED_HAT: Mapping[str, str] = {
    **DEBIAN,
    "ip": "iproute",
    "ssh-keygen": "openssh",
    "ssh-keyscan": "openssh-clients",
    "exportfs": "nfs-utils",
    "mount.nfs": "nfs-utils",
    "makedumpfile": "kexec-tools",
    "sfdisk": "util-linux",
    "growpart": "cloud-utils-growpart",
    "ab": "httpd-tools",
}
"""RHEL and its rebuilds up to 9; btrfs is in Oracle's and Fedora's repositories only."""

FEDORA: Mapping[str, str] = {**RED_HAT, "makedumpfile": "makedumpfile"}
"""kexec-tools was split in Fedora 40 and RHEL 10; older ones provide the name of the new one."""

SUSE: Mapping[str, str] = {
    **DEBIAN,
    "ssh-keygen": "openssh-common",
    "ssh-keyscan": "openssh-clients",
    "mount.nfs": "nfs-client",
    "sfdisk": "util-linux",
    "sgdisk": "gptfdisk",
    "growpart": "growpart",
    "btrfs": "btrfsprogs",
    "mksquashfs": "squashfs",
}
