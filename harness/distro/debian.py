"""Debian and Ubuntu: apt, GRUB by /etc/default/grub.d, kdump-tools."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from harness.distro import boot_loader, network, owner, programs
from harness.distro.dumping import KDUMP_TOOLS
from harness.distro.family import Argv, Family, Service, WebServer

UPDATE_GRUB: Argv = ("update-grub",)

DEBIAN = Family(
    name="debian",
    kernel_log=("dmesg",),
    install=("apt-get", "install", "-y"),
    boot_loader=UPDATE_GRUB,
    programs=programs.DEBIAN,
    apache=Service("apache2", ("apache2",), ("apache2",)),
    web=WebServer("apache2", "/usr/lib/apache2/modules", ("apache2",)),
    guest_agent=Service("qemu-ga", ("qemu-guest-agent",), ("qemu-guest-agent",)),
    key_value=Service(
        "hv_kvp_daemon",
        ("hyperv-daemons",),
        ("hv-kvp-daemon", "hyperv-daemons.hv-kvp-daemon"),
    ),
    freeze=Service(
        "hv_vss_daemon",
        ("hyperv-daemons",),
        ("hv-vss-daemon", "hyperv-daemons.hv-vss-daemon"),
    ),
    kdump=Service("kdump-config", ("kdump-tools",), ("kdump-tools",)),
    nfs_server=Service("rpc.nfsd", ("nfs-kernel-server",), ("nfs-server", "nfs-kernel-server")),
    owner=owner.DPKG,
    owner_of=owner.dpkg_owner,
    kernel_option=partial(boot_loader.by_grub_folder, UPDATE_GRUB),
    adapter=network.by_networkd,
    dumping=KDUMP_TOOLS,
)

UBUNTU = replace(
    DEBIAN,
    name="ubuntu",
    key_value=replace(DEBIAN.key_value, packages=("linux-cloud-tools-virtual",)),
    freeze=replace(DEBIAN.freeze, packages=("linux-cloud-tools-virtual",)),
)
