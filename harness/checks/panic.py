"""Did the kernel panic, why, on which CPU, and was an NMI behind it?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from harness.checks.nmi import parse_nmi_line
from harness.checks.text import records

# Kernel panic - not syncing: sysrq triggered crash
# ---[ end Kernel panic - not syncing: sysrq triggered crash ]---
_PANIC = re.compile(
    r"(?P<before>(?:---\[ end )?)Kernel panic(?: - not syncing)?(?::(?: (?P<reason>.*?))?)?"
    r"(?: ?\]---)?$"
)
_CPU = re.compile(r"\bCPU: (\d{1,6})\b")
_UNKNOWN = re.compile(r"NMI received for unknown reason ([0-9a-f]{1,4})\b")  # no CPU before 2.6.12
_TRACE_OF_UNKNOWN = ("unknown_nmi_error", "strange power saving mode")
_PROMPT = re.compile(r"(?:.{0,80}(?:login: |[$#] ))?(?=Kernel panic|---\[ end Kernel panic)")
_OF_DUMP = re.compile(r'\s{0,16}PANIC: {1,4}"(Kernel panic[^"]{0,200})"')  # crash, of its dump


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
    """Read the last panic of a log, and the last NMI without a known reason.

    A boot of which nothing is to be told does not undo what was told before it: that is how a
    panic looks from the next boot, and from the capture kernel's.
    """
    scan = _Scan()
    for record in records(text):
        if not record.other:
            scan.feed(record.message)
    return scan.last


class _Scan:
    """One pass; after a panic its CPU is awaited until the next boot begins."""

    def __init__(self) -> None:
        self._told = Panic()  # of the boots before
        self._found = Panic()
        self._nmi_cpu: int | None = None
        self._panic_cpu: int | None = None
        self._awaited = False

    @property
    def last(self) -> Panic:
        if self._found == Panic():
            return self._told
        cpu = self._nmi_cpu if self._nmi_cpu is not None else self._panic_cpu
        return replace(self._found, cpu=cpu)

    def feed(self, message: str) -> None:
        if "NMI" in message and self._take_nmi(message):
            return
        if any(trace in message for trace in _TRACE_OF_UNKNOWN):
            self._found = replace(self._found, unknown_nmi=True)
        elif (panic := _said_by_kernel(message)) is not None:
            self._take_panic(panic)
        elif message.startswith("Linux version "):
            self._told = self.last
            self._found, self._awaited = Panic(), False
            self._nmi_cpu = self._panic_cpu = None
        elif self._awaited and (cpu := _CPU.search(message)):
            self._panic_cpu, self._awaited = int(cpu[1]), False

    def _take_nmi(self, message: str) -> bool:
        if (nmi := parse_nmi_line(message)) is not None:
            unknown, reason, self._nmi_cpu = nmi.kind == "unknown", nmi.reason, nmi.cpu
        elif early := _UNKNOWN.search(message):
            unknown, reason, self._nmi_cpu = True, int(early[1], 16), None
        else:
            return False
        unknown = unknown or self._found.unknown_nmi
        self._found = replace(self._found, unknown_nmi=unknown, nmi_reason=f"{reason:#x}")
        return True

    def _take_panic(self, panic: re.Match[str]) -> None:
        ending = bool(panic["before"])
        reason = panic["reason"] or (self._found.reason if ending else None)
        self._found = replace(self._found, panic=True, reason=reason)
        if not ending:
            self._panic_cpu, self._awaited = None, True


def _said_by_kernel(message: str) -> re.Match[str] | None:
    """Match a panic where a message begins; who merely quotes one begins otherwise.

    The tool crash names what its dump panicked of.
    """
    if "Kernel panic" not in message[:128]:
        return None
    if of_dump := _OF_DUMP.match(message):
        return _PANIC.match(of_dump[1])
    begin = _PROMPT.match(message)
    return _PANIC.match(message, begin.end()) if begin else None
