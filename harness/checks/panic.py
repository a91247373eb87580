"""Did the kernel panic, why, on which CPU, and was an NMI behind it?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from harness.checks.nmi import parse_nmi_line
from harness.checks.text import records

# Kernel panic - not syncing: sysrq triggered crash
# ---[ end Kernel panic - not syncing: sysrq triggered crash ]---
_PANIC = re.compile(
    r"(?P<before>(?:---\[ end )?)Kernel panic(?: - not syncing)?(?:: (?P<reason>.*?))?(?: ?\]---)?$"
)
_CPU = re.compile(r"\bCPU: (\d{1,6})\b")
_TRACE_OF_UNKNOWN = ("unknown_nmi_error", "strange power saving mode")


@dataclass(frozen=True, slots=True)
class Panic:
    """``reason``: after "not syncing: "; ``nmi_reason``: the port 61h byte, in hex as ``0x30``.

    ``cpu``: of the unknown-NMI line, else the first "CPU: N" after the panic.
    """

    panic: bool = False
    reason: str | None = None
    unknown_nmi: bool = False
    nmi_reason: str | None = None
    cpu: int | None = None


def parse_panic(text: str) -> Panic:
    """Read the last panic of a log, and the last NMI without a known reason."""
    found, panic_cpu, nmi_cpu, awaited = Panic(), None, None, False
    for record in records(text):
        message = record.message
        if record.other:
            continue
        if (seen := parse_nmi_line(message)) is not None:
            unknown = found.unknown_nmi or seen.kind == "unknown"
            found = replace(found, unknown_nmi=unknown, nmi_reason=f"{seen.reason:#x}")
            nmi_cpu = seen.cpu
        elif any(trace in message for trace in _TRACE_OF_UNKNOWN):
            found = replace(found, unknown_nmi=True)
        elif (panic := _said_by_kernel(message)) is not None:
            found = replace(found, panic=True, reason=panic["reason"] or found.reason)
            if not panic["before"]:
                panic_cpu, awaited = None, True
                found = replace(found, reason=panic["reason"])
        elif awaited and message.startswith("Linux version "):
            awaited = False
        elif awaited and (cpu := _CPU.search(message)):
            panic_cpu, awaited = int(cpu[1]), False
    return replace(found, cpu=nmi_cpu if nmi_cpu is not None else panic_cpu)


def _said_by_kernel(message: str) -> re.Match[str] | None:
    """Match a panic where a message begins; who merely quotes one begins otherwise."""
    if "Kernel panic" not in message[:24]:
        return None
    return _PANIC.match(message)
