"""How each family is told to capture a crash: which file says where the dump goes, in its words.

Sources: kdump-config(8) and Debian's /etc/default/kdump-tools; kdump.conf(5) of Red Hat's
kexec-tools; kdump(5) of SUSE. Only Debian's has been run here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from harness.distro.family import Argv, Change


class Kind(Enum):
    """How a dump leaves the capture kernel."""

    LOCAL = "local"
    SSH = "ssh"
    NFS = "nfs"


@dataclass(frozen=True, slots=True)
class Target:
    """Where dumps go. ``folder``: on the machine that keeps them, for NFS the exported one.

    ``key``: the private key, in the guest, by which ``user`` is let in over SSH.
    """

    kind: Kind = Kind.LOCAL
    folder: str = "/var/crash"
    address: str = ""
    user: str = ""
    key: str = ""


LOCAL = Target()


@dataclass(frozen=True, slots=True)
class Dumping:
    """One family's own capture of a crash; all of it counts from the next boot on.

    ``lines``: what ``file`` has to say for each kind, with the fields of Target in braces; they go
    to the file's end where ``append``, else they are all of it. ``status``: says whether the
    capture kernel is ready. ``initrd``: of the ordinary kernel, with ``{release}``.
    ``capture``: a change that keeps the capture kernel's own log at ``capture_log``, None where the
    family keeps one beside the core, by the name ``capture_log``.
    """

    file: str
    lines: Mapping[Kind, str]
    append: bool
    status: Argv
    initrd: str
    capture_log: str
    capture: Change | None = None

    def configured(self, target: Target, former: str) -> str:
        """Return what the file is to hold; ``former``: what it holds now."""
        said = self.lines[target.kind].format(
            folder=target.folder, address=target.address, user=target.user, key=target.key
        )
        return f"{former.rstrip()}\n\n# hvcert\n{said}" if self.append else said


_LOG = "/var/crash/hvcert-capture-kernel.log"
_UNIT = "/etc/systemd/system/kdump-tools-dump.service.d/hvcert.conf"

KDUMP_TOOLS = Dumping(
    file="/etc/default/kdump-tools",
    lines={
        Kind.LOCAL: 'USE_KDUMP=1\nKDUMP_COREDIR="{folder}"\n',
        Kind.SSH: 'USE_KDUMP=1\nSSH="{user}@{address}"\nSSH_KEY="{key}"\n'
        'KDUMP_COREDIR="{folder}"\n',
        Kind.NFS: 'USE_KDUMP=1\nNFS="{address}:{folder}"\n',
    },
    append=True,
    status=("kdump-config", "status"),
    initrd="/boot/initrd.img-{release}",
    capture_log=_LOG,
    capture=Change(
        _UNIT,
        f'[Service]\nExecStartPre=-/bin/sh -c "dmesg > {_LOG}; sync"\n',
        (),
        (("rm", "-f", "--", _UNIT),),
    ),
)
"""Debian and Ubuntu: a shell file in which the last assignment counts, and a systemd unit."""

_COLLECT = "core_collector makedumpfile {flat}-l --message-level 7 -d 31\n"

KDUMPCTL = Dumping(
    file="/etc/kdump.conf",
    lines={
        Kind.LOCAL: "path {folder}\n" + _COLLECT.replace("{flat}", ""),
        Kind.SSH: "ssh {user}@{address}\nsshkey {key}\npath {folder}\n"
        + _COLLECT.replace("{flat}", "-F "),
        Kind.NFS: "nfs {address}:{folder}\npath /\n" + _COLLECT.replace("{flat}", ""),
    },
    append=False,
    status=("systemctl", "is-active", "kdump"),
    initrd="/boot/initramfs-{release}.img",
    capture_log="kexec-dmesg.log",
)
"""Red Hat's: the service rebuilds its initramfs when the file changed; since RHEL 8.4 it keeps the
capture kernel's log beside the core."""

_SUSE_LOG = (
    'KDUMP_REQUIRED_PROGRAMS="/usr/bin/dmesg"\n'
    "KDUMP_POSTSCRIPT='FILENAME=hvcert-capture-kernel.log;"
    ' dmesg > $SOURCE & eval "$SAVE_COMMAND"; wait $!\'\n'
)
"""Save one more file the way the core is saved, whatever the target: kdump-save evaluates the
script where it has saved the core from a pipe named SOURCE by SAVE_COMMAND, which names FILENAME.
So it is from kdump 1.9.8 on; the older kdump (to 1.0, SLE 15 SP4) has other names there."""

SUSE_KDUMP = Dumping(
    file="/etc/sysconfig/kdump",
    lines={
        Kind.LOCAL: 'KDUMP_SAVEDIR="file://{folder}"\n' + _SUSE_LOG,
        Kind.SSH: 'KDUMP_SAVEDIR="ssh://{user}@{address}{folder}"\nKDUMP_SSH_IDENTITY="{key}"\n'
        + _SUSE_LOG,
        Kind.NFS: 'KDUMP_SAVEDIR="nfs://{address}{folder}"\n' + _SUSE_LOG,
    },
    append=True,
    status=("systemctl", "is-active", "kdump"),
    initrd="/boot/initrd-{release}",
    capture_log="hvcert-capture-kernel.log",
)
"""SUSE's: the service rebuilds its initrd; it keeps no log of the capture kernel of its own."""
