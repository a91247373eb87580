"""The guest's kernel log: how it is asked for, what a record of it is, what is new in it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks.text import Record, records
from harness.errors import EvidenceError
from harness.evidence import Probe


@dataclass(frozen=True, slots=True)
class KernelLog:
    """A kernel log as read at one moment, oldest record first."""

    records: tuple[Record, ...]

    @property
    def reaches_back_to_boot(self) -> bool:
        """Whether the first lines of the boot are still there (a ring buffer overwrites them)."""
        return any(record.message.startswith("Linux version ") for record in self.records)


def parse_kernel_log(text: str) -> KernelLog:
    """Read ``dmesg`` or ``journalctl --dmesg``; an empty log is no answer."""
    log = KernelLog(tuple(records(text)))
    if not log.records:
        raise EvidenceError("kernel log", "line", text)
    return log


KERNEL_LOG = Probe(("dmesg",), parse_kernel_log, privileged=True)
"""The ring buffer: the kernel's own words on every distribution, with no daemon between that could
drop or delay a line. ``new_records`` tells when it has wrapped."""

JOURNAL = Probe(
    ("journalctl", "--dmesg", "--boot", "--no-pager", "--output=short-monotonic"),
    parse_kernel_log,
    privileged=True,
)
"""The same log as journald kept it: asked only when the ring buffer has lost the boot's start."""


def new_records(before: KernelLog, after: KernelLog) -> tuple[Record, ...] | None:
    """Return what was logged between two readings; None when it was another boot.

    Raises EvidenceError when the ring buffer wrapped past everything seen before: what came in
    between is then unknown.
    """
    overlap = _overlap(before.records, after.records)
    if overlap is not None:
        return after.records[overlap:]
    last, first = before.records[-1].seconds, after.records[0].seconds
    if last is not None and first is not None and first > last:
        text = after.records[0].line
        raise EvidenceError("kernel log", f"line seen before ({before.records[-1].line})", text)
    return None


def _overlap(old: tuple[Record, ...], new: tuple[Record, ...]) -> int | None:
    """Return how many records at the start of ``new`` are the end of ``old``."""
    for count in range(min(len(old), len(new)), 0, -1):
        if new[count - 1] == old[-1] and old[-count:] == new[:count]:
            return count
    return None
