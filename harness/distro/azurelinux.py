"""Azure Linux: tdnf, systemd-networkd, GRUB by /etc/default/grub.d; else as Red Hat's.

Source: its package sources (kexec-tools brings ``/etc/default/grub.d/51_kexec_tools.cfg``).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from harness.distro import boot_loader, network
from harness.distro.rhel import RHEL

AZURE_LINUX = replace(
    RHEL,
    name="azurelinux",
    install=("tdnf", "install", "-y"),
    kernel_option=partial(boot_loader.by_grub_folder, RHEL.boot_loader),
    adapter=network.by_networkd,
)
