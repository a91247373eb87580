"""Did the kernel panic, why, on which CPU, and was an NMI behind it?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from harness.checks.nmi import NmiLine, parse_nmi_line
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
    scan = _Scan()
    for record in records(text):
        if not record.other:
            scan.feed(record.message)
    cpu = scan.nmi_cpu if scan.nmi_cpu is not None else scan.panic_cpu
    return replace(scan.found, cpu=cpu)


class _Scan:
    """One pass; after a panic its CPU is awaited until the next boot begins."""

    def __init__(self) -> None:
        self.found = Panic()
        self.nmi_cpu: int | None = None
        self.panic_cpu: int | None = None
        self._awaited = False

    def feed(self, message: str) -> None:
        if (nmi := parse_nmi_line(message)) is not None:
            self._take_nmi(nmi)
        elif any(trace in message for trace in _TRACE_OF_UNKNOWN):
            self.found = replace(self.found, unknown_nmi=True)
        elif (panic := _said_by_kernel(message)) is not None:
            self._take_panic(panic)
        elif self._awaited:
            self._look_for_cpu(message)

    def _take_nmi(self, nmi: NmiLine) -> None:
        unknown = self.found.unknown_nmi or nmi.kind == "unknown"
        self.found = replace(self.found, unknown_nmi=unknown, nmi_reason=f"{nmi.reason:#x}")
        self.nmi_cpu = nmi.cpu

    def _take_panic(self, panic: re.Match[str]) -> None:
        ending = bool(panic["before"])
        reason = panic["reason"] or (self.found.reason if ending else None)
        self.found = replace(self.found, panic=True, reason=reason)
        if not ending:
            self.panic_cpu, self._awaited = None, True

    def _look_for_cpu(self, message: str) -> None:
        if message.startswith("Linux version "):
            self._awaited = False
        elif cpu := _CPU.search(message):
            self.panic_cpu, self._awaited = int(cpu[1]), False


def _said_by_kernel(message: str) -> re.Match[str] | None:
    """Match a panic where a message begins; who merely quotes one begins otherwise."""
    if "Kernel panic" not in message[:24]:
        return None
    return _PANIC.match(message)
