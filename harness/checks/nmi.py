"""Injected NMIs: who received them, what the kernel said, and when the host must refuse.

Sources: certification cases NMI-01 and NMI-02; arch/x86/kernel/nmi.c for the log lines.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.interrupts import Interrupts
from harness.checks.kernel_log import KernelLog, new_records
from harness.checks.text import Record
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured, Probe
from harness.verdict import Outcome, Verdict, all_of, pass_if

REFUSED_BY = "Microsoft.HyperV.PowerShell.Commands.DebugVM"
"""The end of the FullyQualifiedErrorId when Debug-VM itself refuses (never a transport error)."""

UNKNOWN_NMI_PANIC = "/proc/sys/kernel/unknown_nmi_panic"
PANIC_ON_UNRECOVERED_NMI = "/proc/sys/kernel/panic_on_unrecovered_nmi"
SWITCHES = (UNKNOWN_NMI_PANIC, PANIC_ON_UNRECOVERED_NMI)
"""Read, set to 0 and put back by NMI-01; NMI-03 sets the first to 1."""

_UNKNOWN = re.compile(r"NMI received for unknown reason ([0-9a-f]{1,4}) on CPU (\d{1,6})")
_NAMED = re.compile(r"NMI: .{0,40}\b(SERR|IOCK)\b.{0,40}?for reason ([0-9a-f]{1,4}) on CPU (\d{1,6})")
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


def parse_switch(text: str) -> int:
    """Read a sysctl file that holds one integer."""
    if not text.strip().isdigit():
        raise EvidenceError("sysctl", "integer", text)
    return int(text)


def switch_probe(path: str) -> Probe[int]:
    """Return the probe of one of ``SWITCHES``."""
    return Probe(("cat", path), parse_switch)


def receivers(build: int, cpus: Iterable[int]) -> frozenset[int]:
    """Return the CPUs that a host of this build delivers an injected NMI to."""
    return frozenset(cpus) if build < bounds.NMI_CPU0_FROM_BUILD else frozenset({0})


def seen(before: Interrupts, now: Interrupts, build: int) -> int:
    """Return how many injections have reached every CPU that should receive them."""
    rises = _rises(before, now)
    return min((rises.get(cpu, 0) for cpu in receivers(build, rises)), default=0)


def rule_for_build(build: int, evidence: tuple[Evidence, ...]) -> Verdict | None:
    """Return not-applicable where the host has no NMI injection, else None."""
    if build >= bounds.NMI_FIRST_BUILD:
        return None
    why = f"host build {build} has no NMI injection (first in {bounds.NMI_FIRST_BUILD}, 2012 R2)"
    return Verdict(Outcome.NOT_APPLICABLE, why, evidence)


def judge_injections(
    counts: tuple[Measured[Interrupts], Measured[Interrupts]],
    logs: tuple[Measured[KernelLog], Measured[KernelLog]],
    build: int,
    *,
    sent: int = bounds.NMI_INJECTIONS,
) -> Verdict:
    """Judge NMI-01 from the counters and the log, each read before and after.

    ``sent`` is below 5 when one was not seen in time and the case stopped: that fails. Raises
    EvidenceError for a missing NMI row, another set of CPUs, fewer than 2 of them, a wrapped log.
    """
    proof = tuple(piece for read in (*counts, *logs) for piece in read.evidence)
    rises = _rises(counts[0].value, counts[1].value)
    if len(rises) < bounds.NMI_MIN_CPUS or 0 not in rises:
        missing = f"{bounds.NMI_MIN_CPUS} on-line vCPUs (found {sorted(rises)})"
        raise EvidenceError("/proc/interrupts", missing, counts[1].evidence[0].answer)
    fresh = new_records(logs[0].value, logs[1].value)
    if fresh is None:
        raise EvidenceError("kernel log", "part logged since the first reading: the guest rebooted", "")
    target = receivers(build, rises)
    whom = "every vCPU" if build < bounds.NMI_CPU0_FROM_BUILD else "CPU 0 only"
    return all_of(
        f"{bounds.NMI_INJECTIONS} injections on host build {build} reached {whom}, "
        "each with one line in the kernel log",
        _judge_rises(rises, target, (build, whom, sent), proof),
        _judge_lines(fresh, rises, target, proof),
    )


def _judge_rises(
    rises: dict[int, int],
    target: frozenset[int],
    told: tuple[int, str, int],
    proof: tuple[Evidence, ...],
) -> Verdict:
    build, whom, sent = told
    wanted = {cpu: bounds.NMI_INJECTIONS if cpu in target else 0 for cpu in rises}
    wrong = [
        f"CPU {cpu} counted {rises[cpu]} NMIs, not {wanted[cpu]}"
        for cpu in sorted(rises)
        if rises[cpu] != wanted[cpu]
    ]
    if sent < bounds.NMI_INJECTIONS:
        limit = bounds.NMI_SEEN_WITHIN.total_seconds()
        wrong.append(f"injection {sent} was not seen within {limit:.0f} s, no more were sent")
    because = "; ".join(wrong) or "the counters rose as they should"
    return pass_if(not wrong, f"{because} (host build {build} delivers to {whom})", proof)


def _judge_lines(
    fresh: tuple[Record, ...],
    rises: dict[int, int],
    target: frozenset[int],
    proof: tuple[Evidence, ...],
) -> Verdict:
    if hidden := next((r for r in fresh if _SUPPRESSED.search(r.message)), None):
        raise EvidenceError("kernel log", f"suppressed NMI lines ({hidden.line})", hidden.line)
    said = [line for record in fresh if (line := parse_nmi_line(record.message))]
    named = [f"{n.kind} error, reason {n.reason:02x}, on CPU {n.cpu}" for n in said if n.kind != "unknown"]
    lines = Counter(n.cpu for n in said if n.kind == "unknown")
    wrong = [f"the kernel log names a {name}" for name in named]
    for cpu in sorted(lines.keys() | rises.keys()):
        wanted = bounds.NMI_INJECTIONS if cpu in target else 0
        if lines[cpu] != wanted:
            wrong.append(f"the kernel log has {lines[cpu]} unknown-NMI lines for CPU {cpu}, not {wanted}")
    return pass_if(not wrong, "; ".join(wrong) or "one unknown-NMI line each", proof)


def _rises(before: Interrupts, after: Interrupts) -> dict[int, int]:
    first, last = before.nmi_of(), after.nmi_of()
    if first.keys() != last.keys():
        changed = f"same CPUs before {sorted(first)} and after {sorted(last)}"
        raise EvidenceError("/proc/interrupts", changed, repr(after))
    return {cpu: last[cpu] - first[cpu] for cpu in last}


def judge_refused(state: str, fqid: str | None, proof: tuple[Evidence, ...]) -> Verdict:
    """Judge NMI-02's attempt on a VM in ``state``; ``fqid`` None: the host accepted it.

    Only Debug-VM's own ErrorRecord counts: anything else is no answer to the question and raises
    EvidenceError.
    """
    if fqid is None:
        return Verdict(Outcome.FAIL, f"the host accepted an NMI for a VM that is {state}", proof)
    if not fqid.endswith(f",{REFUSED_BY}"):
        raise EvidenceError("Debug-VM", f"refusal by Debug-VM itself (got {fqid})", fqid)
    return Verdict(Outcome.PASS, f"the host refused the NMI while the VM was {state} [{fqid}]", proof)


def judge_counts_zero(after: Measured[Interrupts]) -> Verdict:
    """Judge NMI-02 after the boot that followed Off: no CPU may have counted an NMI."""
    wrong = [f"CPU {cpu}: {n}" for cpu, n in after.value.nmi_of().items() if n]
    because = "; ".join(wrong) or "every NMI count is 0 after the boot"
    return pass_if(not wrong, f"NMIs counted after the boot: {because}" if wrong else because, after.evidence)


def judge_counts_kept(before: Measured[Interrupts], after: Measured[Interrupts]) -> Verdict:
    """Judge NMI-02 after resume from Saved or Paused: every count equals the one before."""
    rises = {cpu: n for cpu, n in _rises(before.value, after.value).items() if n}
    wrong = "; ".join(f"CPU {cpu} changed by {n}" for cpu, n in rises.items())
    because = wrong or "every NMI count is the one from before"
    return pass_if(not rises, because, before.evidence + after.evidence)
