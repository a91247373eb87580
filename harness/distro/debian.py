"""Debian and Ubuntu: apt, GRUB by /etc/default/grub.d, kdump-tools."""

from __future__ import annotations

from harness.distro.family import Family

DEBIAN = Family(
    name="debian",
    kernel_log=("dmesg",),
    install=("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y"),
    boot_loader=("update-grub",),
    kdump_packages=("kdump-tools",),
    kdump_service="kdump-tools",
)
