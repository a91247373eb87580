"""Where a crash dump is sent, from a configuration file or from what kdump's tool says.

A comment says nothing, and neither does the path of a core alone (Debian's KDUMP_COREDIR, RHEL's
``path``): on RHEL it is a path on whatever target there is.
"""

from __future__ import annotations

import re
from typing import Literal

Named = Literal["local", "ssh", "nfs", "other"]

_VALUE = r"[\"']?"
_RULES: tuple[tuple[Named, re.Pattern[str]], ...] = (
    (
        "ssh",
        re.compile(
            # /etc/kdump.conf: ssh user@host; RHEL 5: net user@host
            r"^(?:ssh|net)\s{1,8}[\w.-]{1,64}@[\w.:\[\]-]{1,255}\s*$"
            # /etc/default/kdump-tools: SSH="user@host"; kdump-config show: SSH:    user@host
            rf"|^(?:export )?SSH(?:=|:\s{{1,30}}){_VALUE}[\w.-]{{1,64}}@\S"
            # /etc/sysconfig/kdump: KDUMP_SAVEDIR="ssh://user@host/path"
            rf"|^KDUMP_SAVEDIR={_VALUE}(?:ssh|sftp)://|^KDUMP_PROTO={_VALUE}(?:ssh|sftp)\b"
            # kdump: saving to root@192.0.2.1:/var/crash/        kdump-tools: saved vmcore in u@h:/
            r"|\bsaving to [\w.-]{1,64}@\S{1,255}:|\bsaved vmcore in [\w.-]{1,64}@\S{1,255}:"
            r"|\bsending makedumpfile .{1,200} to [\w.-]{1,64}@"
            r"|\bUnable to reach remote server \S{1,64}@"
        ),
    ),
    (
        "nfs",
        re.compile(
            r"^(?:nfs4?|net)\s{1,8}[\w.\[\]:-]{1,255}:/\S"
            rf"|^(?:export )?NFS(?:=|:\s{{1,30}}){_VALUE}[\w.\[\]:-]{{1,255}}:/?\S"
            rf"|^KDUMP_SAVEDIR={_VALUE}nfs://|^KDUMP_PROTO={_VALUE}nfs\b"
            r"|\b(?:Mounting|Dumping to) NFS mountpoint \S|mount remote NFS directory \S"
            r"|^dracut_args\s.{0,80}--mount\s{1,8}[\"']?[\w.\[\]-]{1,255}:/\S{0,255}\s\S{1,99}\snfs"
        ),
    ),
    (
        "local",
        re.compile(
            r"^(?:raw|ext[234]|xfs|btrfs|minix)\s{1,8}(?:/|UUID=|LABEL=|PARTUUID=)\S{1,255}\s*$"
            rf"|^KDUMP_SAVEDIR={_VALUE}(?:file://|/)|^KDUMP_PROTO={_VALUE}file\b"
            r"|\bsaving to raw disk \S"
            r"|^dracut_args\s.{0,80}--mount\s{1,8}[\"']?/dev/\S"
        ),
    ),
    (
        "other",
        re.compile(
            rf"^KDUMP_SAVEDIR={_VALUE}(?:ftp|cifs)://|^(?:export )?FTP(?:=|:\s{{1,30}}){_VALUE}\S"
        ),
    ),
)
_WORTH_A_LOOK = re.compile(
    r"(?:ssh|net|nfs4?|raw|ext[234]|xfs|btrfs|minix|dracut_args)\s"
    r"|(?:export )?(?:SSH|NFS|FTP)[=:]|KDUMP_(?:SAVEDIR|PROTO)="
)


def target_named(line: str) -> Named | None:
    """Return the target that a line names; "other" is one of neither kind (FTP, CIFS)."""
    line = line.strip()
    if not (_WORTH_A_LOOK.match(line) or "saving to " in line or "NFS" in line or "@" in line):
        return None
    for named, rule in _RULES:
        if rule.search(line):
            return named
    return None
