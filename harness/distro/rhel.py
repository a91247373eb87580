"""Red Hat Enterprise Linux and its rebuilds, Oracle Linux, Fedora: dnf (yum is its old name)."""

from __future__ import annotations

from dataclasses import replace

from harness.distro import boot_loader, network, owner, programs
from harness.distro.dumping import KDUMPCTL
from harness.distro.family import Family, Service, WebServer

RHEL = Family(
    name="rhel",
    kernel_log=("dmesg",),
    install=("yum", "install", "-y"),  # RHEL 7 has no dnf, later ones have both names
    boot_loader=("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),
    programs=programs.RED_HAT,
    apache=Service("httpd", ("httpd",), ("httpd",)),
    web=WebServer(
        "httpd", "/usr/lib64/httpd/modules", ("httpd", "mod_lua")
    ),  # apart from RHEL 9 on
    guest_agent=Service("qemu-ga", ("qemu-guest-agent",), ("qemu-guest-agent",)),
    key_value=Service("hypervkvpd", ("hyperv-daemons",), ("hypervkvpd",)),
    freeze=Service("hypervvssd", ("hyperv-daemons",), ("hypervvssd",)),
    kdump=Service("kdumpctl", ("kexec-tools",), ("kdump",)),
    nfs_server=Service("rpc.nfsd", ("nfs-utils",), ("nfs-server",)),
    owner=owner.RPM,
    owner_of=owner.rpm_owner,
    kernel_option=boot_loader.by_grubby,
    adapter=network.by_network_manager,
    dumping=KDUMPCTL,
)

ORACLE = replace(RHEL, name="oracle")
"""The Unbreakable Enterprise Kernel changes the kernel's package, not the tools."""

FEDORA = replace(
    RHEL,
    name="fedora",
    install=("dnf", "install", "-y"),
    programs=programs.FEDORA,
    kdump=Service("kdumpctl", ("kdump-utils",), ("kdump",)),  # split off in Fedora 40
)
