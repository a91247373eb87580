"""Samples of a guest's memory: the host asked, the guest asked, the host asked again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from harness.checks import memory
from harness.checks.memory import Sample, render_sample
from harness.deadline import SYSTEM, Clock, wait_for
from harness.errors import DeadlineExceeded
from harness.evidence import Evidence, Measured
from harness.units import Bytes

if TYPE_CHECKING:
    from harness.bench import GuestUnderTest
    from harness.host.vm import Vm

EVERY = timedelta(milliseconds=700)


class Sampler:
    """Takes samples of one guest and keeps their log; ``phase`` says what the case is doing."""

    def __init__(self, vm: Vm, guest: GuestUnderTest, *, clock: Clock = SYSTEM) -> None:
        self._vm, self._guest, self._clock = vm, guest, clock
        self._probe = memory.guest_memory(balloon=guest.measure(memory.BALLOON_DRIVER).value)
        self._taken: list[tuple[Sample, str]] = []
        self._begun = clock.monotonic()
        self.phase = ""
        self.peak = Bytes(0)
        """The most that the host ever had assigned."""

    def take(self) -> Sample:
        """Take one sample now."""
        before = self._vm.memory()
        guest = self._guest.measure(self._probe)
        after = self._vm.memory()
        at = self._clock.monotonic() - self._begun
        texts = (read.evidence[0].answer for read in (before, guest, after))
        sample = Sample(at, self.phase, before.value, guest.value, after.value)
        self._taken.append((sample, render_sample(at, self.phase, *texts)))
        self.peak = max(self.peak, before.value.assigned, after.value.assigned)
        return sample

    @property
    def first(self) -> Sample:
        """Return the first sample that was taken."""
        return self._taken[0][0]

    def of_phase(self) -> list[Sample]:
        """Return what was sampled so far in this phase."""
        return [sample for sample, _ in self._taken if sample.phase == self.phase]

    def until(
        self,
        what: str,
        done: Callable[[Sample], bool],
        within: timedelta,
        *,
        every: timedelta = EVERY,
    ) -> bool:
        """Sample until one meets the condition; tell whether one did within the limit."""

        def poll() -> Sample | None:
            sample = self.take()
            return sample if done(sample) else None

        try:
            wait_for(what, poll, within, every=every, clock=self._clock)
        except DeadlineExceeded:
            return False
        return True

    def forget(self, phase: str) -> None:
        """Drop the samples of a phase that has to begin anew."""
        self._taken = [pair for pair in self._taken if pair[0].phase != phase]

    def log(self, *phases: str) -> Measured[tuple[Sample, ...]]:
        """Return the samples of these phases, all of them without any, read from their log."""
        chosen = [line for sample, line in self._taken if sample.phase in phases or not phases]
        asked = f"Get-VM {self._vm.name}; {' '.join(self._probe.argv)}; Get-VM again"
        text = "\n".join(chosen)
        piece = Evidence(f"{asked} ({', '.join(phases) or 'all samples'})", text, "host and guest")
        return Measured(memory.parse_samples(text), (piece,))
