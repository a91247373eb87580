"""SUSE Linux Enterprise and openSUSE: zypper, GRUB 2, kdump."""

from __future__ import annotations

from harness.distro.family import Family

SUSE = Family(
    name="suse",
    kernel_log=("dmesg",),
    install=("zypper", "--non-interactive", "install"),
    boot_loader=("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),
    kdump_packages=("kexec-tools", "kdump", "makedumpfile"),
    kdump_service="kdump",
)
