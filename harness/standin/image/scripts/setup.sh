#!/bin/sh
# Setup hook: offer the packages that an earlier build fetched; initramfs settings before any kernel.
set -eu
root=$1
mkdir -p "$root/var/cache/apt/archives/partial" "$root/etc/initramfs-tools/conf.d"
cp -n "$LAB_DEBS"/*.deb "$root/var/cache/apt/archives/" 2>/dev/null || true
cp "$LAB_RECIPE/tree/etc/initramfs-tools/conf.d/lab" "$root/etc/initramfs-tools/conf.d/lab"
