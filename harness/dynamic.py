"""The life of a guest with dynamic memory: what the DM cases do to it, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from harness.checks import bounds, memory
from harness.checks import memory_judges as judges
from harness.checks.memory import Limits, Sample
from harness.checks.pressure import why_not
from harness.deadline import SYSTEM
from harness.errors import EvidenceError
from harness.evidence import Measured
from harness.guest.load import PROGRAM, start_piece, stop_pieces
from harness.sampling import Sampler
from harness.units import Bytes, MiB
from harness.verdict import Outcome, Verdict, all_of

if TYPE_CHECKING:
    from harness.bench import Bench, Certify, GuestUnderTest
    from harness.host.fillers import Fillers

PIECE, SMALLEST, SPARE = 128 * MiB, 16 * MiB, 48 * MiB
"""A piece of load, the smallest worth starting, and what stays available to the guest: less than
the buffer of 20 %, or a small guest would never ask for more."""

TAKEN_WITHIN = timedelta(seconds=8)
"""How long a piece has to fill its memory before the next is weighed, on an emulated guest."""

REFILL = 5.0
"""Seconds between two looks whether others have let go of the host's memory."""

REPORTED = timedelta(minutes=3)

STRETCHES = 5
"""Attempts at a stretch in which the host has nothing to give."""


@dataclass(slots=True)
class Life:
    """A guest with dynamic memory that has reported its demand; ``block`` is its memory block."""

    bench: Bench
    guest: GuestUnderTest
    limits: Limits
    block: Measured[Bytes]
    sampler: Sampler
    pieces: int = 0
    _due: float = 0.0
    _expected: Bytes = field(default_factory=lambda: Bytes(0))

    @property
    def start(self) -> Bytes:
        """Return what it had when it first reported."""
        return self.sampler.first.after.assigned

    @property
    def step(self) -> Bytes:
        """Return the memory block that counts."""
        return memory.block_of(self.block.value)

    def ramp(self, phase: str, done: Callable[[Sample], bool], within: timedelta) -> bool:
        """Load the guest piece by piece until a sample meets the condition; tell whether one did.

        A piece is never larger than what the guest has available, less a spare: its memory is to
        be short, and its kernel to kill nothing.
        """
        self.sampler.phase = phase
        stuck = Stuck(self)

        def step(sample: Sample) -> bool:
            if done(sample) or stuck.seen(sample):
                return True
            self._add_piece(sample)
            return False

        return self.sampler.until(phase, step, within)

    def risen(self, sample: Sample, to: Bytes) -> bool:
        """Tell whether host and guest both have so much."""
        first = self.sampler.first
        seen = first.after.assigned + sample.view(first)
        return min(sample.after.assigned, seen) >= to

    def asks(self, sample: Sample) -> Bytes:
        """Return what the guest needs with its buffer on top."""
        return Bytes(sample.after.demand.count * (100 + self.limits.buffer) // 100)

    def _add_piece(self, sample: Sample) -> None:
        now, has = SYSTEM.monotonic(), sample.guest.available
        if now < self._due and has > self._expected:
            return
        size = min(PIECE, has - SPARE)
        if size < SMALLEST:
            return
        self.pieces += 1
        start_piece(self.guest.shell, self.pieces, size)
        self._due = SYSTEM.monotonic() + TAKEN_WITHIN.total_seconds()
        self._expected = has - Bytes(size.count // 2)

    def rest(self, phase: str) -> None:
        """Stop the load and wait until the host has heard of it."""
        self.sampler.phase = phase
        loaded = self.sampler.take().after.demand
        stop_pieces(self.guest.shell)
        fallen = loaded - PIECE
        if not self.sampler.until("a lower demand", lambda s: s.after.demand < fallen, REPORTED):
            raise EvidenceError("MemoryDemand", f"demand below {fallen} with the load stopped", "")

    def settle(self, samples: int, long: timedelta = timedelta(0)) -> None:
        """Sample on until so many count in this phase, and for so long; as far as it goes."""
        until = SYSTEM.monotonic() + long.total_seconds()

        def enough(_: Sample) -> bool:
            counted = len(judges.settled(self.sampler.of_phase()))
            return counted >= samples and SYSTEM.monotonic() >= until

        self.sampler.until("samples that count", enough, timedelta(minutes=2))

    @contextmanager
    def pressed(self, phase: str) -> Iterator[Callable[[], None]]:
        """Fill the host inside the block; the word it yields fills it again when others let go."""
        self.sampler.phase = phase
        self.sampler.take()
        with self.bench.fillers.filled():
            self.bench.story.append("filled the host's free memory with VMs that only hold it")
            yield _every(REFILL, self.bench.fillers)
        self.bench.story.append("let go of the host's memory")

    def squeeze(self, phase: str, below: Bytes, again: Callable[[], None]) -> bool:
        """Wait under pressure until the guest has less than so much; tell whether it came."""
        self.sampler.phase = phase

        def less(sample: Sample) -> bool:
            again()
            return sample.after.assigned <= below

        return self.sampler.until("ballooned memory", less, bounds.DM_WITHIN)

    def resume(self, phase: str) -> None:
        """Save the machine, start it again, and wait until demand is reported."""
        vm = self.bench.vm
        self.bench.story.append("saved the machine and resumed it")
        vm.save()
        vm.start()
        self.guest.reached_again()
        self.sampler.phase = phase
        self.sampler.until("demand", lambda s: s.after.demand > Bytes(0), REPORTED)


class Lasting:
    """A condition that has held for 5 s: while a load grows demand rises and falls back."""

    def __init__(self, condition: Callable[[Sample], bool]) -> None:
        self._condition = condition
        self._since: float | None = None

    def __call__(self, sample: Sample) -> bool:
        """Tell whether it holds now and has held for long enough."""
        if not self._condition(sample):
            self._since = None
            return False
        self._since = sample.at if self._since is None else self._since
        return sample.at - self._since >= bounds.DM_STILL.total_seconds()


class Stuck:
    """Added memory that stays off-line: the ramp cannot go on, so it ends with that."""

    def __init__(self, life: Life) -> None:
        self._life, self._since = life, 0.0
        self._first: Sample | None = None

    def seen(self, sample: Sample) -> bool:
        """Tell whether memory that the host added has been off-line for long enough."""
        self._first = self._first or sample
        apart = sample.given(self._first) - sample.view(self._first)
        if apart < self._life.step:
            self._since = 0.0
            return False
        self._since = self._since or sample.at
        if sample.at - self._since < bounds.DM_OFFLINE_AFTER.total_seconds():
            return False
        return self._life.guest.measure(memory.OFFLINE_BLOCKS).value > 0


def _every(seconds: float, fillers: Fillers) -> Callable[[], None]:
    due = SYSTEM.monotonic() + seconds

    def again() -> None:
        nonlocal due
        if SYSTEM.monotonic() >= due:
            fillers.fill()
            due = SYSTEM.monotonic() + seconds

    return again


def begin(bench: Bench, limits: Limits) -> Life:
    """Boot the guest with dynamic memory and wait until it has reported its demand."""
    bench.vm.set_dynamic_memory(limits)
    guest = bench.boot()
    bench.needs_programs(PROGRAM)
    life = Life(bench, guest, limits, guest.measure(memory.BLOCK_SIZE), Sampler(bench.vm, guest))
    _wait_for_report(life)
    life.sampler.phase = "start"
    life.sampler.take()
    return life


def _wait_for_report(life: Life) -> None:
    earliest = life.guest.platform.memory_reports_after

    def reported() -> bool | None:
        early = life.guest.measure(memory.UPTIME).value < earliest
        return None if early or not life.bench.vm.memory().value.demand.count else True

    within = REPORTED + timedelta(seconds=earliest)
    if life.guest.wait_for("the guest's first report of demand", reported, within) is None:
        wanted = f"demand above 0 within {within.total_seconds():.0f} s (is the driver loaded?)"
        raise EvidenceError("MemoryDemand", wanted, "")


def ballooned_saved_and_stopped(life: Life, certify: Certify) -> None:
    """Balloon the guest, save and resume it, add memory again, balloon it again, and stop it."""
    sampler, step, vm = life.sampler, life.step, life.bench.vm
    peak = sampler.peak
    with life.pressed("pressed") as again:
        former = sampler.log("pressed").value[0].after.assigned
        life.squeeze("pressed", former - step, again)
        life.settle(bounds.DM_SAMPLES // 2, bounds.DM_HELD)
        pressed = sampler.log("pressed")
        certify(judges.judge_balloon(pressed, step, life.guest.release), case="DM-02")
        certify(judges.judge_minimum(pressed, life.limits.minimum, step), case="DM-04")
        life.resume("resumed")
    life.ramp("resumed", lambda s: life.risen(s, peak + step), bounds.DM_WITHIN)
    resumed = judges.judge_resumed(pressed, sampler.log("resumed"), peak, step)
    life.rest("rest again")
    with life.pressed("stopping") as again:
        life.squeeze("stopping", life.limits.startup - step, again)
    before = sampler.log("stopping")
    life.bench.stop()
    stopped = judges.judge_clean_stop(before, life.limits.startup, vm.measured_state())
    certify(all_of(f"{resumed.because}; {stopped.because}", resumed, stopped), case="DM-06")


def starved_then_fed(life: Life) -> Measured[tuple[Sample, ...]]:
    """Load the guest while its host has no memory, then let go of it; return what followed.

    A VM that ends elsewhere may set memory free for a moment: then the host is filled and the
    guest loaded anew, and the last stretch (phase "starved") is what counts.
    """
    sampler = life.sampler
    with life.pressed("filled") as again:
        tries = (_starved_stretch(life, again) for _ in range(STRETCHES))
        next((True for held in tries if held), False)
    grown = sampler.log("starved").value[0].after.assigned + life.step
    life.ramp("fed", lambda s: life.risen(s, grown), bounds.DM_WITHIN)
    return sampler.log("fed")


def _starved_stretch(life: Life, again: Callable[[], None]) -> bool:
    """Load the guest until it lacks memory, and sample on; tell whether the host gave none."""
    sampler = life.sampler
    sampler.forget("starved")
    lacks = Lasting(lambda s: life.asks(s) > s.after.assigned)

    def unmet(sample: Sample) -> bool:
        again()
        return lacks(sample)

    life.ramp("filled", unmet, bounds.DM_WITHIN)
    sampler.phase = "starved"
    level = sampler.take().after.assigned
    return not sampler.until(
        "memory given", lambda s: _given(s, level, again), bounds.DM_HELD * 1.2
    )


def _given(sample: Sample, level: Bytes, again: Callable[[], None]) -> bool:
    again()
    return sample.after.assigned > level


def not_pressed(bench: Bench) -> Verdict | None:
    """Return why the host cannot be filled, as the verdict of what needs that; None if it can."""
    room = bench.fillers.room()
    reason = why_not(room.value)
    return Verdict(Outcome.NOT_RUN, reason, room.evidence) if reason else None
