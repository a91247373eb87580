"""/proc/interrupts: how often each CPU took a non-maskable interrupt."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.checks.text import lines
from harness.errors import EvidenceError
from harness.evidence import Probe

_CPU = re.compile(r"CPU(\d{1,6})")
_NMI = re.compile(r"(?:^|[\s|:])NMI:(?=\s|$)")
_APART = re.compile(r"(?:\s\s|[:|\t])CPU0\s")  # as a table sets it, not as prose does
_ROW = re.compile(r"(?:^|[\s|:])[A-Za-z0-9_-]{1,12}:(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Interrupts:
    """``cpus``: numbers of the columns (off-line CPUs are missing); ``nmi``: counts, same order.

    ``nmi`` is None where the table has no (complete) NMI row.
    """

    cpus: tuple[int, ...]
    nmi: tuple[int, ...] | None

    def nmi_of(self) -> dict[int, int]:
        """Return NMI counts by CPU number; raise EvidenceError where the row is missing."""
        if self.nmi is None:
            raise EvidenceError("/proc/interrupts", "NMI row", repr(self))
        return dict(zip(self.cpus, self.nmi, strict=True))


def parse_interrupts(text: str) -> Interrupts:
    """Read the last table in the text; raise EvidenceError when there is no CPU header.

    ``           CPU0       CPU1`` then ``NMI:          5          0   Non-maskable interrupts``;
    the label may be indented, header and row may be broken by a mail client.
    """
    table = _Table()
    for line in lines(text):
        table.feed(line)
    if not table.cpus:
        raise EvidenceError("/proc/interrupts", "CPU header", text)
    whole = len(table.counts) == len(table.cpus)
    return Interrupts(tuple(table.cpus), tuple(table.counts) if whole else None)


class _Table:
    """Where in a table the reading is: in its header, in its NMI row, or elsewhere."""

    def __init__(self) -> None:
        self.cpus: list[int] = []
        self.counts: list[int] = []
        self._place = ""

    def feed(self, line: str) -> None:
        cpus, joined = _header(line) if "CPU" in line else ([], "")
        if cpus:
            self._take_header(cpus)
            if joined:
                self.feed(joined)
        elif (row := _NMI.search(line)) and self.cpus:
            self._place, self.counts = "nmi", self._numbers(line[row.end() :], [])
        elif _ROW.search(line):
            self._place = ""
        elif self._place == "nmi" and len(self.counts) < len(self.cpus):
            more = self._numbers(line, self.counts)
            self._place, self.counts = ("nmi" if more != self.counts else ""), more
        elif line.strip():
            self._place = ""

    def _take_header(self, cpus: list[int]) -> None:
        if self._place == "header" and cpus[0] > self.cpus[-1]:
            self.cpus += cpus
        else:
            self.cpus, self.counts = cpus, []
        self._place = "header"

    def _numbers(self, text: str, so_far: list[int]) -> list[int]:
        counts = list(so_far)
        for word in text.split():
            if len(counts) == len(self.cpus) or not (word.isascii() and word.isdigit()):
                break
            counts.append(int(word))
        return counts


def _header(line: str) -> tuple[list[int], str]:
    """Return the CPU numbers of a header line, and the row that a mail client joined to it.

    Nothing but CPU names, behind a prefix at most: ``    CPU0       CPU1       0:        164``.
    """
    words = line.split()
    first = next((n for n, word in enumerate(words) if _CPU.fullmatch(word)), len(words))
    names: list[int] = []
    for word in words[first:]:
        if not (found := _CPU.fullmatch(word)):
            break
        names.append(int(found[1]))
    rest = words[first + len(names) :]
    alone = first == 0 or (len(names) > 1 and names[0] == 0 and bool(_APART.search(line)))
    joined = len(names) > 1 and bool(rest) and rest[0].endswith(":")
    if names and alone and (joined or not rest):
        return names, " ".join(rest)
    return [], ""


INTERRUPTS = Probe(("cat", "/proc/interrupts"), parse_interrupts)


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """Read ``0-1,3`` as (0, 1, 3)."""
    cpus: list[int] = []
    for part in text.strip().split(","):
        span = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part)
        if not span:
            raise EvidenceError("on-line CPUs", "CPU list like 0-3,5", text)
        cpus += range(int(span[1]), int(span[2] or span[1]) + 1)
    return tuple(cpus)


ONLINE_CPUS = Probe(("cat", "/sys/devices/system/cpu/online"), parse_cpu_list)
