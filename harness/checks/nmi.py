"""Injected NMIs: who received them, what the kernel said, and when the host must refuse.

Sources: certification cases NMI-01 and NMI-02; arch/x86/kernel/nmi.c for the log lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from harness.checks import bounds
from harness.checks.interrupts import INTERRUPTS, ONLINE_CPUS, Interrupts
from harness.checks.kernel_log import KERNEL_LOG, KernelLog, new_records
from harness.checks.text import Record
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.host.session import Attempt, RefusedBy
from harness.verdict import Outcome, Verdict, all_of, pass_if

__all__ = [
    "INTERRUPTS",
    "LET_UNKNOWN_NMIS_PASS",
    "ONLINE_CPUS",
    "Injections",
    "inject_one_by_one",
    "judge_injections",
    "judge_refused",
    "judge_refused_kept",
    "judge_refused_zero",
    "parse_nmi_line",
    "receivers",
]

T = TypeVar("T")

LET_UNKNOWN_NMIS_PASS = {"kernel.unknown_nmi_panic": "0", "kernel.panic_on_unrecovered_nmi": "0"}
"""Read, set so and put back by NMI-01: with 1 the first injection panics the guest."""

REFUSED_BY = "Microsoft.HyperV.PowerShell.Commands.DebugVM"
"""The end of the FullyQualifiedErrorId when Debug-VM itself refuses."""

NOT_ABOUT_STATE = frozenset(
    {"AccessDenied", "ObjectNotFound", "InvalidParameter.ObjectNotFound", "Unavailable"}
)
"""Debug-VM's own errors that say nothing of the VM's state."""

_UNKNOWN = re.compile(r"NMI received for unknown reason ([0-9a-f]{1,4}) on CPU (\d{1,6})")
_NAMED = re.compile(
    r"NMI: .{0,40}\b(SERR|IOCK)\b.{0,40}?for reason ([0-9a-f]{1,4}) on CPU (\d{1,6})"
)
PCI_ERROR = "hardware problem, likely on the PCI bus"
"""What kernels before 2.6.39 say after an unknown reason when the SERR bit is set."""

_SUPPRESSED = re.compile(r"unknown_nmi_error: \d+ callbacks suppressed")


@dataclass(frozen=True, slots=True)
class NmiLine:
    """What the kernel said of one NMI; ``kind`` is unknown, SERR or IOCK, ``reason`` port 61h."""

    kind: str
    reason: int
    cpu: int


def parse_nmi_line(message: str) -> NmiLine | None:
    """Read ``Uhhuh. NMI received for unknown reason 21 on CPU 0.`` and its SERR and IOCK kin."""
    if "NMI" not in message:
        return None
    if found := _UNKNOWN.search(message):
        return NmiLine("unknown", int(found[1], 16), int(found[2]))
    if found := _NAMED.search(message):
        return NmiLine(found[1], int(found[2], 16), int(found[3]))
    return None


@dataclass(frozen=True, slots=True)
class Injections:
    """What NMI-01 saw: counters and kernel log before the first injection and after the last.

    ``sent`` is below 5 when one was not seen within the limit, so no more were sent.
    """

    sent: int
    seen: int
    counts: tuple[Measured[Interrupts], Measured[Interrupts]]
    logs: tuple[Measured[KernelLog], Measured[KernelLog]]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All texts, in the order of asking."""
        reads = (self.counts[0], self.logs[0], self.counts[1], self.logs[1])
        return tuple(piece for read in reads for piece in read.evidence)


class Measure(Protocol):
    """Ask the guest one question."""

    def __call__(self, probe: Probe[T], /) -> Measured[T]:
        """Return the value with its raw text."""


class WaitFor(Protocol):
    """Poll until there is an answer, None when it did not come within the limit."""

    def __call__(self, what: str, poll: Callable[[], T | None], within: timedelta) -> T | None:
        """Return the first answer that is not None."""


def inject_one_by_one(
    inject: Callable[[], object], measure: Measure, wait_for: WaitFor
) -> Injections:
    """Inject five times, each only when the one before was seen: NMIs latch, quick ones merge.

    Seen means that the counters changed and then stood still for one poll, so that a slow CPU or
    a second delivery of the same injection is in the count.
    """
    first_log = measure(KERNEL_LOG)
    first = latest = measure(INTERRUPTS)
    for number in range(1, bounds.NMI_INJECTIONS + 1):
        inject()
        what = f"NMI {number} of {bounds.NMI_INJECTIONS} in /proc/interrupts"
        settled = wait_for(what, _settled(latest, measure), bounds.NMI_SEEN_WITHIN)
        if settled is None:
            last = (first, measure(INTERRUPTS))
            return Injections(number, number - 1, last, (first_log, measure(KERNEL_LOG)))
        latest = settled
    sent = bounds.NMI_INJECTIONS
    return Injections(sent, sent, (first, latest), (first_log, measure(KERNEL_LOG)))


def _settled(
    before: Measured[Interrupts], measure: Measure
) -> Callable[[], Measured[Interrupts] | None]:
    former = before.value

    def poll() -> Measured[Interrupts] | None:
        nonlocal former
        now = measure(INTERRUPTS)
        still = now.value == former
        former = now.value
        return now if still and now.value != before.value else None

    return poll


def receivers(build: int, cpus: Iterable[int]) -> frozenset[int]:
    """Return the CPUs that a host of this build delivers an injected NMI to."""
    return frozenset(cpus) if build < bounds.NMI_CPU0_FROM_BUILD else frozenset({0})


def judge_injections(rounds: Injections, online: Measured[tuple[int, ...]], build: int) -> Verdict:
    """Judge NMI-01 by the counters and by the kernel log; ``build`` is the host's, measured.

    Raises EvidenceError for a missing NMI row, another set of CPUs, fewer than 2 of them, a
    kernel log that wrapped or hid lines, a guest that rebooted.
    """
    proof = rounds.evidence + online.evidence
    rises = _rises(*(read.value for read in rounds.counts))
    _check_cpus(rises, online)
    fresh = new_records(rounds.logs[0].value, rounds.logs[1].value)
    if fresh is None:
        text = rounds.logs[1].evidence[0].answer
        raise EvidenceError("kernel log", "line of the boot in which the case began", text)
    target = receivers(build, rises)
    whom = "every vCPU" if build < bounds.NMI_CPU0_FROM_BUILD else "CPU 0 only"
    return all_of(
        f"{bounds.NMI_INJECTIONS} injections on host build {build} reached {whom}, "
        "each with one line in the kernel log",
        _judge_rises(rises, target, rounds, f"(host build {build} delivers to {whom})"),
        _judge_lines(fresh, rises, target, proof),
    )


def _check_cpus(rises: dict[int, int], online: Measured[tuple[int, ...]]) -> None:
    answer = online.evidence[0].answer
    if set(online.value) != rises.keys():
        columns = f"column for each on-line CPU (columns {sorted(rises)}, on line {online.value})"
        raise EvidenceError("/proc/interrupts", columns, answer)
    if len(rises) < bounds.NMI_MIN_CPUS or 0 not in rises:
        wanted = f"{bounds.NMI_MIN_CPUS} on-line vCPUs, CPU 0 among them (found {online.value})"
        raise EvidenceError("on-line CPUs", wanted, answer)


def _judge_rises(
    rises: dict[int, int], target: frozenset[int], rounds: Injections, rule: str
) -> Verdict:
    wanted = {cpu: bounds.NMI_INJECTIONS if cpu in target else 0 for cpu in rises}
    wrong = [
        f"CPU {cpu} counted {rises[cpu]} NMIs, not {wanted[cpu]}"
        for cpu in sorted(rises)
        if rises[cpu] != wanted[cpu]
    ]
    if rounds.seen < rounds.sent:
        limit = bounds.NMI_SEEN_WITHIN.total_seconds()
        wrong.insert(0, f"injection {rounds.sent} was not seen within {limit:.0f} s")
    because = "; ".join(wrong) or "the counters rose as they should"
    ok = not wrong and rounds.sent == bounds.NMI_INJECTIONS
    return pass_if(ok, f"{because} {rule}", rounds.evidence)


def _judge_lines(
    fresh: tuple[Record, ...],
    rises: dict[int, int],
    target: frozenset[int],
    proof: tuple[Evidence, ...],
) -> Verdict:
    if hidden := next((r for r in fresh if _SUPPRESSED.search(r.message)), None):
        raise EvidenceError("kernel log", f"suppressed NMI lines ({hidden.line})", hidden.line)
    said = [line for record in fresh if (line := parse_nmi_line(record.message))]
    wrong = [
        f"the kernel log names an {line.kind} error (reason {line.reason:02x}) on CPU {line.cpu}"
        for line in said
        if line.kind != "unknown"
    ]
    if any(PCI_ERROR in record.message for record in fresh):
        wrong.append("the kernel log blames the NMI on the PCI bus (SERR)")
    lines = Counter(line.cpu for line in said if line.kind == "unknown")
    for cpu in sorted(lines.keys() | rises.keys()):
        wanted = bounds.NMI_INJECTIONS if cpu in target else 0
        if lines[cpu] != wanted:
            count = f"{lines[cpu]} unknown-NMI lines for CPU {cpu}, not {wanted}"
            wrong.append(f"the kernel log has {count}")
    return pass_if(not wrong, "; ".join(wrong) or "one unknown-NMI line each", proof)


def _rises(before: Interrupts, after: Interrupts) -> dict[int, int]:
    first, last = before.nmi_of(), after.nmi_of()
    if first.keys() != last.keys():
        changed = f"same CPUs before {sorted(first)} and after {sorted(last)}"
        raise EvidenceError("/proc/interrupts", changed, repr(after))
    return {cpu: last[cpu] - first[cpu] for cpu in last}


def is_of(command: str, cmdlet: str) -> bool:
    """Return whether an error id's class is the cmdlet's; 2012 R2 ends many with ``Command``."""
    return command.removesuffix("Command") == cmdlet


def judge_refused(state: str, attempt: Attempt) -> Verdict:
    """Judge NMI-02's attempt on a VM in ``state``.

    Only Debug-VM's own ErrorRecord counts: any other (no such VM, no right to it, a command that
    was never bound) is no answer to the question and raises EvidenceError.
    """
    refusal = attempt.refusal
    if refusal is None:
        why = f"the host accepted an NMI for a VM that is {state}"
        return Verdict(Outcome.FAIL, why, attempt.evidence)
    kind, _, command = refusal.code.partition(",")
    if (
        refusal.by is not RefusedBy.CMDLET
        or not is_of(command, REFUSED_BY)
        or kind in NOT_ABOUT_STATE
    ):
        raise EvidenceError("Debug-VM", f"refusal for the VM's state (got {refusal.code})", "")
    why = f"the host refused the NMI while the VM was {state} [{refusal.code}]"
    return Verdict(Outcome.PASS, why, attempt.evidence)


def judge_refused_zero(state: str, attempt: Attempt, after: Measured[Interrupts]) -> Verdict:
    """Judge NMI-02 on a VM that was Off: refused, and after the next boot every count is 0."""
    counted = [f"CPU {cpu}: {count}" for cpu, count in after.value.nmi_of().items() if count]
    because = f"NMIs were counted after the next boot ({', '.join(counted)})"
    return _refused_and(
        state, attempt, pass_if(not counted, because, after.evidence), "every count is 0"
    )


def judge_refused_kept(
    state: str, attempt: Attempt, before: Measured[Interrupts], after: Measured[Interrupts]
) -> Verdict:
    """Judge NMI-02 on a VM that was Saved or Paused: refused, and every count is kept."""
    rises = {cpu: by for cpu, by in _rises(before.value, after.value).items() if by}
    changed = ", ".join(f"CPU {cpu}: {by:+d}" for cpu, by in rises.items())
    kept = pass_if(
        not rises, f"NMI counts changed over {state} ({changed})", before.evidence + after.evidence
    )
    return _refused_and(state, attempt, kept, "every count is the one from before")


def _refused_and(state: str, attempt: Attempt, counts: Verdict, told: str) -> Verdict:
    refused = judge_refused(state, attempt)
    return all_of(f"{refused.because}; {told}", refused, counts)
