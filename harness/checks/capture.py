"""What the capture kernel dumped through: its drivers, and what its command line keeps out.

The announcement's claim is that no special configuration is needed: a capture kernel with the
synthetic drivers blacklisted works too, through emulated devices, and that is a fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.checks.kernel_log import KernelLog
from harness.checks.platform import Platform
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.verdict import Verdict, pass_if

_COMMAND_LINE = re.compile(r"(?:Kernel command|Command) line: (.*)")
_BLACKLIST = re.compile(
    r"(?:^|\s)(?:rd\.driver\.|rdblacklist\.|modprobe\.|module_|initcall_)?(?:rd)?blacklist=(\S*)"
)


def command_line(log: KernelLog) -> str:
    """Return the command line that the kernel of this log says it got."""
    for record in log.records:
        if found := _COMMAND_LINE.match(record.message):
            return found[1]
    raise EvidenceError("capture kernel's log", "command line", "\n".join(_texts(log)[:20]))


def blacklisted(line: str) -> frozenset[str]:
    """Return every module that a command line keeps from being loaded or initialised."""
    return frozenset(
        name for found in _BLACKLIST.findall(line) for name in found.split(",") if name
    )


def judge_capture(log: Measured[KernelLog], platform: Platform, ordinary: Measured[str]) -> Verdict:
    """Judge the capture kernel's log; ``ordinary``: the command line of the guest's usual boot.

    What the distribution itself keeps out stands in the usual boot, too. Raises EvidenceError when
    the log is not a capture kernel's.
    """
    line = command_line(log.value)
    if "elfcorehdr=" not in line:
        raise EvidenceError("capture kernel's log", "elfcorehdr= on its command line", line)
    texts = [text for text in _texts(log.value) if "ommand line: " not in text]
    wrong = [
        f"names no {kind} driver of {platform.name} ({', '.join(drivers)})"
        for kind, drivers in (
            ("storage", platform.storage_drivers),
            ("network", platform.network_drivers),
        )
        if not _named(drivers, texts)
    ]
    added = sorted(blacklisted(line) - blacklisted(ordinary.value))
    if added:
        wrong.append(f"its command line keeps out {', '.join(added)}")
    because = "the capture kernel ran on the platform's storage and network drivers"
    if wrong:
        because = f"dumped through emulated devices: the capture kernel's log {'; '.join(wrong)}"
    return pass_if(not wrong, because, log.evidence + ordinary.evidence)


def _texts(log: KernelLog) -> list[str]:
    return [record.message for record in log.records]


def _named(drivers: tuple[str, ...], texts: Iterable[str]) -> bool:
    """Whether any of the drivers is named; ``virtio_scsi`` and ``virtio-scsi`` are one."""
    names = (re.escape(name).replace("_", "[-_]") for name in drivers)
    pattern = re.compile(rf"\b(?:{'|'.join(names)})\b")
    return any(pattern.search(text) for text in texts)
