"""What trouble looks like in a kernel log, as a table; and what only looks like it.

Each row: kind, a literal that the message must hold (so that most lines cost one scan), and the
pattern that decides. The benign rows were seen on healthy Hyper-V guests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sign:
    """One kind of trouble; ``literal`` is part of every text that ``pattern`` matches."""

    kind: str
    literal: str
    pattern: re.Pattern[str]


def _sign(kind: str, literal: str, pattern: str | None = None) -> Sign:
    return Sign(kind, literal, re.compile(pattern if pattern is not None else re.escape(literal)))


_NOT_A_DISK = r"(?!sr\d|fd\d)"
_FAULT = r"0{3,4}[0-9a-f]{0,4} \[#\d"

SIGNS = (
    # panics, oopses, bugs, warnings
    _sign("panic", "Kernel panic", r"^Kernel panic(?: - not syncing|:)"),
    _sign("lockup", "soft lockup", r"BUG: soft lockup"),
    _sign("lockup", "ard LOCKUP", r"atchdog detected hard LOCKUP"),
    _sign("lockup", "workqueue lockup", r"BUG: workqueue lockup"),
    _sign("hung-task", "blocked for more than", r"task \S.{0,80} blocked for more than \d"),
    _sign("rcu-stall", "stall", r"(?:self-detected|detected|expedited) .{0,20}stalls?\b"),
    _sign("rcu-stall", "kthread starved"),
    _sign("bug", "BUG: ", r"(?<![\w\"'`])BUG: "),  # not where it is quoted
    _sign("bug", "kernel BUG at"),
    _sign("oops", "Oops", r"\bOops(?: -|:) "),
    _sign("oops", "Internal error: ", r"^Internal error: "),
    _sign(
        "oops", "general protection fault", r"^general protection fault|: general protection fault"
    ),
    _sign("oops", "ernel paging request", r"nable to handle kernel paging request"),
    _sign("oops", "NULL pointer dereference", r"(?:^|kernel )NULL pointer dereference"),
    _sign("oops", "exploit attempt?", r"kernel tried to execute .{0,40}exploit attempt"),
    _sign("oops", "[#", rf"(?:invalid opcode|divide error|stack segment|double fault): {_FAULT}"),
    _sign("oops", "double fault", r"^(?:traps: )?(?:PANIC: )?double fault"),
    _sign("oops", "tack guard page was hit"),
    _sign(
        "warning",
        "WARNING: ",
        r"^WARNING: (?:CPU: \d|at \S|\S+:\d+ |.{0,40}(?:locking|RCU usage|lock ))",
    ),
    _sign("warning", "possible", r"^INFO: possible .{0,60}(?:detected|deadlock)"),
    _sign("warning", "RCU usage", r"INFO: suspicious RCU usage"),
    _sign("bug", "UBSAN: ", r"^UBSAN: \S"),
    _sign("bug", "corruption", r"^list_(?:add|del) corruption"),
    _sign("interrupt", "nobody cared", r"irq \d+: nobody cared"),
    _sign("interrupt", "unhandled: ", r"irq \d+, desc: "),
    _sign("hardware-error", "[Hardware Error]", r"\[Hardware Error\]: (?!.{0,20}Corrected)"),
    # memory
    _sign("oom", "invoked oom-killer"),
    _sign("oom", "ut of memory: ", r"ut of memory: (?:Kill|OOM)"),
    _sign("oom", "ut of memory and no killable"),
    _sign("allocation", " failure: order", r"alloc(?:ation)? failure: order"),
    _sign("allocation", "Unable to allocate memory", r"SLUB: Unable to allocate memory"),
    _sign("allocation", "Bad page", r"(?:^|(?<![\w\"'`])BUG: )Bad page (?:state|map)\b"),
    # disks and file systems
    _sign(
        "io-error",
        " error, dev ",
        rf"(?:I/O|medium|target|nexus|critical \w+|timeout|protection) error, dev {_NOT_A_DISK}\w",
    ),
    _sign("io-error", "uffer I/O error on ", rf"uffer I/O error on (?:dev|device) {_NOT_A_DISK}\w"),
    _sign("io-error", "due to I/O error on ", rf"due to I/O error on {_NOT_A_DISK}\w"),
    _sign("io-error", "timeout, ", r"^nvme nvme\d{1,4}: I/O .{1,60} timeout, "),
    _sign("io-error", "timing out command", r"\[sd\w{1,8}\].{0,40} timing out command"),
    _sign("io-error", "offline", r"^sd .{0,60}(?:rejecting I/O to offline device|Device offlined)"),
    _sign(
        "io-error",
        "hv_storvsc",
        r"hv_storvsc .{0,80} cmd 0x(?:8|a|28|2a|35|88|8a|a8|aa) status: scsi 0x[1-9a-f]",
    ),
    _sign(
        "io-error",
        "hv_storvsc",
        r"hv_storvsc .{0,80} cmd 0x(?:8|a|28|2a|35|88|8a|a8|aa) scsi status 0x[1-9a-f]",
    ),
    _sign("io-error", "I/O Error", r"\bnvme\w{0,12}: .{0,60}I/O Error"),
    _sign("filesystem", "EXT", r"EXT[234]-fs error"),
    _sign(
        "filesystem",
        "EXT",
        r"EXT[234]-fs \(.{1,40}\): (?:.{0,80}error count since|.{0,40}shut ?down|I/O error"
        r"|previous I/O error|Delayed block allocation failed|This should not happen"
        r"|failed to convert unwritten)",
    ),
    _sign(
        "filesystem",
        "EXT",
        r"EXT[234]-fs warning .{1,160}(?:: I/O error |error -5\b|\berr[ =]-5\b"
        r"|; IO logical block )",
    ),
    _sign(
        "filesystem",
        "JBD",
        r"JBD2?: (?:Error|Detected IO errors|I/?O error|recovery failed|journal checksum error"
        r"|Invalid checksum recovering)",
    ),
    _sign("filesystem", "JBD2: ", r"JBD2: .{0,60}journal .{0,60}(?:abort|corrupt)"),
    _sign("filesystem", "borting journal"),
    _sign("filesystem", "Remounting filesystem read-only"),
    _sign(
        "filesystem",
        "XFS",
        r"XFS \(.{1,40}\): .{0,60}(?:[Cc]orrupt|I/O [Ee]rror|[Ii]nternal error|shut ?down"
        r"|[Ss]hutting down|log mount/recovery failed)",
    ),
    _sign("filesystem", "XFS", r"XFS.{0,20}: Internal error"),
    _sign("filesystem", "BTRFS", r"BTRFS(?:: error| error| critical| warning.{0,60}csum)"),
    _sign("filesystem", "FAT-fs", r"FAT-fs \(.{1,40}\): error, "),
    _sign("filesystem", "SQUASHFS error"),
    _sign("filesystem", "F2FS-fs", r"F2FS-fs \(.{1,40}\): .{0,60}(?:[Cc]orrupt|inconsistent)"),
    # programs
    _sign("segfault", "segfault at", r"\]: segfault at "),
    _sign("segfault", "general protection", r"^traps: .{1,40}\[\d+\] general protection"),
    _sign("segfault", "trap invalid opcode"),
)

ALONE = (
    ("call-trace", re.compile(r"^Call [Tt]race:")),
    ("panic", re.compile(r"---\[ end Kernel panic\b")),
    ("oom", re.compile(r"^Killed process \d+ \(")),
)
"""Kind and pattern of what belongs to a problem before it, and counts where there is none."""

BENIGN = re.compile(
    # commands that a disk may not know; the block layer falls back by itself
    r"op 0x(?:3|9|5):\((?:DISCARD|WRITE_ZEROES|SECURE_ERASE)\)"
    r"|Operation not supported|operation not supported error"
    r"|WRITE SAME failed|Corrected error"
    # who names an option, not an event
    r"|^(?:Kernel c|C)ommand line:"
    r"|Unknown kernel command line parameters"
)
"""Kept in words rather than in the patterns: an unsupported operation, a corrected error, a command
line that says panic=-1 or oops=panic."""
