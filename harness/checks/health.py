"""The guest's health by its kernel log: no new problem between two readings.

A line of the kernel counts, a program's does not (except the segfault that the kernel reports of
it). NMI lines are not health: NMI-01 provokes and judges them.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass

from harness.checks.health_signs import ALONE, BENIGN, SIGNS
from harness.checks.kernel_log import KERNEL_LOG, KernelLog, new_records
from harness.checks.text import Record, records
from harness.evidence import Measured
from harness.verdict import Verdict, pass_if

__all__ = ["KERNEL_LOG", "KernelLog", "Problem", "find_problems", "judge_health", "read_problems"]

TRACE_BELONGS_WITHIN = 40
"""Records after a problem within which "Call Trace:" is part of it, not one of its own."""

BARE_START = 32
"""A line without stamp or tag counts only when the sign begins this early: else it is quoted."""

_NUMBER = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,16}\b|\d+")
_OPTICAL = re.compile(r"\b(?:sr\d|fd\d)\b|\[sr\d\]")
_NEAR = 6
# sysrq: Show Blocked State        SysRq : Show Memory        (somebody asked; it shows call traces)
_ASKED_FOR = re.compile(r"^(?:sysrq: |SysRq : ){1,2}Show ")
_ANSWER_TAKES = 5.0
"""Seconds within which the traces that somebody asked for are printed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One sign of trouble: what kind, the kernel's message, and the line that it was on."""

    kind: str
    message: str
    line: str

    @property
    def same(self) -> tuple[str, str]:
        """What makes it the same problem in another boot: kind and words, without numbers."""
        return self.kind, _NUMBER.sub("#", self.message)


def read_problems(text: str) -> tuple[Problem, ...]:
    """Find every problem in a kernel log as text."""
    return find_problems(records(text))


def find_problems(found: Iterable[Record]) -> tuple[Problem, ...]:
    """Find every problem, in order; a call trace that follows one is part of it."""
    problems: list[Problem] = []
    since, optical = TRACE_BELONGS_WITHIN, deque([False] * _NEAR, maxlen=_NEAR)
    held: list[tuple[int, int]] = []  # a storvsc line: its problem, records left to be explained
    asked: float | None = None
    for record in found:
        since += 1
        asked = _asked_at(record, asked)
        optical.append(bool(_OPTICAL.search(record.message)))
        held = _take_back(problems, held) if optical[-1] else _older(held)
        problem = _problem(record, alone=since > TRACE_BELONGS_WITHIN and asked is None)
        if problem is None:
            continue
        if "hv_storvsc" in problem.message:
            if any(optical):
                continue
            held.append((len(problems), _NEAR))
        since = 0
        problems.append(problem)
    return tuple(problem for problem in problems if problem.kind)


def _asked_at(record: Record, asked: float | None) -> float | None:
    """Return when traces were asked for; None once their time is over."""
    now = record.seconds or 0.0
    if "Show " in record.message and _ASKED_FOR.match(record.message):
        return now
    return asked if asked is not None and now <= asked + _ANSWER_TAKES else None


def _take_back(problems: list[Problem], held: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Void the storvsc errors that turn out to be the virtual DVD's; none stays open."""
    for index, _ in held:
        problems[index] = Problem("", "", "")
    return []


def _older(held: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(index, left - 1) for index, left in held if left > 1]


def _problem(record: Record, *, alone: bool) -> Problem | None:
    if record.other:
        return None
    message = record.message
    for sign in SIGNS:
        if sign.literal in message and (match := sign.pattern.search(message)):
            quoted = not record.by_kernel and match.start() > BARE_START
            if quoted or BENIGN.search(message):
                return None
            return Problem(sign.kind, message, record.line)
    for kind, pattern in ALONE if alone else ():
        if pattern.match(message):
            return Problem(kind, message, record.line)
    return None


def judge_health(
    before: Measured[KernelLog],
    after: Measured[KernelLog],
    provoked: frozenset[str] = frozenset(),
) -> Verdict:
    """Fail on a problem that was not there before; ``provoked``: kinds that the case caused.

    Within one boot every problem logged in between is new. After a reboot one is new when the log
    holds more of its kind and words than the boot before did. Raises EvidenceError when the ring
    buffer lost what came in between.
    """
    fresh = new_records(before.value, after.value)
    if fresh is None:
        found = _added(find_problems(before.value.records), find_problems(after.value.records))
    else:
        found = find_problems(fresh)
    new = [problem for problem in found if problem.kind not in provoked]
    lines = "; ".join(f"{problem.kind}: {problem.line}" for problem in new[:3])
    more = f" (and {len(new) - 3} more)" if len(new) > 3 else ""
    because = f"new in the kernel log: {lines}{more}" if new else "no new problem in the kernel log"
    return pass_if(not new, because, before.evidence + after.evidence)


def judge_health_at_login(log: Measured[KernelLog]) -> Verdict:
    """Fail on a problem that this boot shows before the case acts in it."""
    found = find_problems(log.value.records)
    lines = "; ".join(f"{problem.kind}: {problem.line}" for problem in found[:3])
    because = f"in the kernel log at login: {lines}" if found else "no problem in the log at login"
    return pass_if(not found, because, log.evidence)


def _added(old: tuple[Problem, ...], new: tuple[Problem, ...]) -> tuple[Problem, ...]:
    known = Counter(problem.same for problem in old)
    added: list[Problem] = []
    for problem in new:
        known[problem.same] -= 1
        if known[problem.same] < 0:
            added.append(problem)
    return tuple(added)
