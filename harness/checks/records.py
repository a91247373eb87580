"""The records of the writer in the guest: what it acknowledged, what a copy of its disk holds.

The writer numbers its records, checksums each and has it on disk before it acknowledges it, so a
backup must hold a prefix: nothing missing, nothing broken, nothing from after the call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from harness.checks import bounds
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.verdict import Verdict, pass_if

_RECORD = re.compile(r"(\d{1,9}) (\d{1,12}\.\d{2}) (\d{1,10})")
_ACKNOWLEDGED = re.compile(r"(\d{1,9}) (\d{1,12}\.\d{2})")


@dataclass(frozen=True, slots=True)
class Records:
    """What a file of records holds: 1 to ``last`` without a gap, each with the right checksum.

    ``torn``: the number of a record at the very end that is not whole. ``broken`` says what is
    wrong with a record that is not the last one; "" where nothing is.
    """

    last: int
    torn: int | None = None
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """When (guest uptime in seconds) each record was on disk; record 1 comes first."""

    at: tuple[float, ...]

    @property
    def last(self) -> int:
        """Return the number of the latest one."""
        return len(self.at)

    @property
    def longest_stall(self) -> timedelta:
        """Return the longest time between two acknowledgements."""
        return timedelta(seconds=max((b - a for a, b in pairwise(self.at)), default=0.0))


def parse_records(text: str) -> Records:
    """Read a file of records: ``12 345.67 2934716508``, one a line."""
    *lines, rest = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not _whole(line, number):
            if number == len(lines) and not rest:
                return Records(number - 1, torn=number)
            return Records(number - 1, broken=f"record {number} reads {line[:40]!r}")
    return Records(len(lines), torn=len(lines) + 1 if rest else None)


def _whole(line: str, number: int) -> bool:
    found = _RECORD.fullmatch(line)
    if not found or int(found[1]) != number:
        return False
    return checksum(number, found[2]) == int(found[3])


def checksum(number: int, uptime: str) -> int:
    """Return what the writer adds to a record: see ``writer.sh``, which computes it in a shell."""
    return (number * 2654435761 + int("1" + uptime.replace(".", "")) * 40503) % (1 << 32)


def parse_acknowledged(text: str) -> Acknowledged:
    """Read what the writer acknowledged: ``12 345.71``, one a line, 1 first."""
    times = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _ACKNOWLEDGED.fullmatch(line)
        if not found or int(found[1]) != number:
            raise EvidenceError("writer", f"acknowledgement of record {number}", text)
        times.append(float(found[2]))
    if not times:
        raise EvidenceError("writer", "acknowledged record", text)
    return Acknowledged(tuple(times))


@dataclass(frozen=True, slots=True)
class Written:
    """What was acknowledged on one file system: before the call, just after it, at the end."""

    before: Measured[Acknowledged]
    after: Measured[Acknowledged]
    end: Measured[Acknowledged]

    def check_both_sides(self, where: str) -> None:
        """Raise EvidenceError unless the writer wrote on both sides of the call."""
        if self.end.value.last <= self.after.value.last:
            raise EvidenceError(
                f"writer on {where}",
                f"record after number {self.after.value.last}: it did not go on after the call",
                self.end.evidence[0].answer if self.end.evidence else "",
            )


def judge_prefix(where: str, written: Written, copy: Measured[Records]) -> Verdict:
    """Judge the copy of one file system's records; the writer must have written on both sides.

    The record after the last one acknowledged when the call had returned may have been on its way.
    """
    written.check_both_sides(where)
    least, most = written.before.value.last, written.after.value.last + 1
    held = copy.value
    evidence = written.before.evidence + written.after.evidence + copy.evidence
    told = f"{where}: the copy holds records 1 to {held.last}"
    if held.broken:
        return pass_if(False, f"{where}: {held.broken}", evidence)  # noqa: FBT003
    if held.last < least:
        said = f"{told}, but {least} were on disk before the call"
        return pass_if(False, said, evidence)  # noqa: FBT003
    if held.last > most:
        said = f"{told}, but {most} is the last that can have been begun when the call returned"
        return pass_if(False, said, evidence)  # noqa: FBT003
    return pass_if(True, f"{told} ({least} to {most} are right)", evidence)  # noqa: FBT003


def judge_stall(where: str, end: Measured[Acknowledged]) -> Verdict:
    """Judge the writer's longest wait."""
    longest = end.value.longest_stall
    limit = bounds.BACKUP_STALL_WITHIN
    said = f"{where}: longest stall {longest.total_seconds():.1f} s"
    return pass_if(longest <= limit, f"{said} (limit {limit.total_seconds():.0f} s)", end.evidence)
