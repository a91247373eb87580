#!/bin/sh
# Customise hook, the last: the tree becomes the file system of the disk; no loop device, no mount of it.
# Environment: LAB_WORK, which holds disk.raw with its partition table.
set -eu
root=$1
cp "$root"/boot/vmlinuz-* "$LAB_WORK/vmlinuz"
cp "$root"/boot/initrd.img-* "$LAB_WORK/initrd"
chmod 644 "$LAB_WORK/vmlinuz" "$LAB_WORK/initrd"
# A plain bind mount shows the tree without /proc, /sys and /dev, which are mounted on it just now.
unshare --mount sh -euc '
    mkdir -p "$2/tree"
    mount --bind "$1" "$2/tree"
    rm -rf "$2"/tree/tmp/* "$2"/tree/run/*
    # Features that the GRUB of an older release cannot read are left out.
    mke2fs -q -F -t ext4 -L root -O ^metadata_csum_seed,^orphan_file -E offset=1048576 -m 1 \
        -d "$2/tree" "$2/disk.raw" "$3"
' sh "$root" "$LAB_WORK" "$LAB_FS_MIB"M
