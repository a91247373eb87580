"""Red Hat Enterprise Linux and its rebuilds, Oracle Linux, Fedora: dnf (yum is its old name)."""

from __future__ import annotations

from dataclasses import replace

from harness.distro.family import Family

RHEL = Family(
    name="rhel",
    kernel_log=("dmesg",),
    install=("yum", "install", "-y"),  # RHEL 7 has no dnf, later ones have both names
    boot_loader=("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),
    kdump_packages=("kexec-tools",),
    kdump_service="kdump",
)

FEDORA = replace(RHEL, name="fedora", kdump_packages=("kdump-utils",))
