"""SUSE Linux Enterprise and openSUSE Leap up to 15: zypper, pbl, wicked, kdump.

SUSE Linux Enterprise 16 and Tumbleweed configure the network with NetworkManager: they need a
record of their own before a case adds an adapter there.
"""

from __future__ import annotations

from harness.distro import boot_loader, network, owner, programs
from harness.distro.dumping import SUSE_KDUMP
from harness.distro.family import Family, Service, WebServer

SUSE = Family(
    name="suse",
    kernel_log=("dmesg",),
    install=("zypper", "--non-interactive", "install"),
    boot_loader=("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"),
    programs=programs.SUSE,
    apache=Service("apache2ctl", ("apache2",), ("apache2",)),
    web=WebServer("httpd-prefork", "/usr/lib64/apache2-prefork", ("apache2-prefork",)),
    guest_agent=Service("qemu-ga", ("qemu-guest-agent",), ("qemu-guest-agent", "qemu-ga@")),
    key_value=Service("hv_kvp_daemon", ("hyper-v",), ("hv_kvp_daemon",)),
    freeze=Service("hv_vss_daemon", ("hyper-v",), ("hv_vss_daemon",)),
    kdump=Service("kdumptool", ("kdump", "kexec-tools", "makedumpfile"), ("kdump",)),
    nfs_server=Service("rpc.nfsd", ("nfs-kernel-server",), ("nfs-server", "nfsserver")),
    owner=owner.RPM,
    owner_of=owner.rpm_owner,
    kernel_option=boot_loader.by_pbl,
    adapter=network.by_wicked,
    dumping=SUSE_KDUMP,
)
