"""A guest that truly hangs: nobody gets a word out of it, and nothing in it gets to run.

Source: certification case KD-04. Whatever still lives means that the case did not do its part: an
error, never a verdict on the guest.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.kernel_log import KernelLog
from harness.errors import EvidenceError
from harness.evidence import Evidence, Measured

PROVOKED = frozenset({"lockup", "hung-task", "rcu-stall", "call-trace"})
"""Kinds of health problems that real-time loops on every CPU cause by themselves."""

LOOPS_UNTHROTTLED = ("kernel.sched_rt_runtime_us", "-1")
"""Else the kernel leaves 5 % of each CPU to others."""

RESERVE = "/sys/kernel/debug/sched/fair_server/cpu{}/runtime"
"""The same since 6.12, by a server of its own (kernel/sched/debug.c)."""


LOOPS = """for cpu do
  chrt --fifo 98 dd if=/dev/zero of=/dev/null bs=64k &
  taskset --cpu-list --pid "$cpu" $!
done
wait"""
"""Starts a loop on each CPU that it is given, and stands above them until the last one runs."""


def loops_on(cpus: tuple[int, ...]) -> tuple[str, ...]:
    """Return what starts busy loops before which nothing else on these CPUs gets to run.

    One command, for it must not need a CPU that a loop has taken already: systemd itself would.
    """
    properties = ("--property=CPUSchedulingPolicy=fifo", "--property=CPUSchedulingPriority=99")
    run = ("systemd-run", "--quiet", "--no-block", "--unit=hvcert-hang", *properties)
    return (*run, "sh", "-c", LOOPS, "hvcert-hang", *map(str, cpus))


def writer(word: str) -> tuple[str, ...]:
    """Return what writes a word to the kernel's log every second as long as programs can run."""
    timer = ("--on-active=1s", "--on-unit-active=1s", "--timer-property=AccuracySec=100ms")
    run = ("systemd-run", "--quiet", "--unit=hvcert-writer", *timer)
    # the journal passes on what is at least a notice (MaxLevelKMsg= of journald.conf(5))
    to_log = ("--property=StandardOutput=kmsg", "--property=SyslogLevel=notice")
    return (*run, *to_log, "echo", word)


@dataclass(frozen=True, slots=True)
class Silence:
    """What was seen from outside: the failed login, and the host's heartbeat before and after."""

    login: Evidence
    before: Measured[str]
    after: Measured[str]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Return all of it."""
        return (*self.before.evidence, self.login, *self.after.evidence)


def check_outside(seen: Silence) -> None:
    """Raise EvidenceError when the host still hears the guest; one that it never heard is fine."""
    if seen.before.value.startswith("Ok") and seen.after.value.startswith("Ok"):
        raise EvidenceError("heartbeat", "end of it (the guest does not hang)", seen.after.value)


def check_writer(log: Measured[KernelLog], word: str, mark: str) -> None:
    """Raise EvidenceError unless the writer wrote, and had been silent long enough at ``mark``.

    ``log`` is the core's; ``mark`` stands in the first line of the crash.
    """
    wrote = [r.seconds for r in log.value.records if word in r.message and r.seconds is not None]
    died = [r.seconds for r in log.value.records if mark in r.message and r.seconds is not None]
    text = log.evidence[-1].answer
    if not wrote or not died:
        raise EvidenceError("writer", "line of the writer and one of the crash", text)
    silent = died[-1] - max(wrote)
    if silent < bounds.SILENT_FOR.total_seconds():
        limit = bounds.SILENT_FOR.total_seconds()
        raise EvidenceError("writer", f"silence of {limit:.0f} s (it was {silent:.0f} s)", text)
