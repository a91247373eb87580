"""Azure Linux: tdnf, else as Fedora."""

from __future__ import annotations

from harness.distro.family import Family

AZURE_LINUX = Family(
    name="azurelinux",
    kernel_log=("dmesg",),
    install=("tdnf", "install", "-y"),
    boot_loader=("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),
    kdump_packages=("kdump-utils",),
    kdump_service="kdump",
)
